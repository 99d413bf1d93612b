// SPDX-License-Identifier: Apache-2.0
// Lists of machines, how ranks fill them, and the lines that start them.
#include "cli/host_list.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/host_probe.h"
#include "cli/mpirun_line.h"
#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "train/scratch_folder.h"

namespace lockstep {
namespace {

using Hosts = std::vector<HostSlots>;

void expect_usage_error(const std::string& text, const std::string& said) {
  try {
    parse_hosts(text);
    ADD_FAILURE() << "took " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find(said), std::string::npos) << error.what();
  }
}

TEST(HostList, ReadsNamesAndSlots) {
  EXPECT_EQ(parse_hosts("a:2,b,10.99.0.1:16"), (Hosts{{"a", 2}, {"b", 1}, {"10.99.0.1", 16}}));
}

TEST(HostList, RefusesWhatIsNoMachine) {
  expect_usage_error("a:2,,b", "no name");
  expect_usage_error("a:0", "slots");
  expect_usage_error("a:2x", "slots");
  expect_usage_error("a:1,b:1,a:2", "stands twice");
  expect_usage_error("-oProxyCommand=x:1", "no name");
  expect_usage_error("a;reboot", "no name");
  expect_usage_error("$(id)", "no name");
}

TEST(HostList, ReadsHostfiles) {
  const ScratchFolder folder;
  const auto path = folder.path() / "hosts";
  write_file_atomically(path, "# machines\nnode1 slots=16\n\n  node2   # one rank\n");
  EXPECT_EQ(read_hostfile(path), (Hosts{{"node1", 16}, {"node2", 1}}));
  write_file_atomically(path, "node1 slots=16\nnode2 cores=3\n");
  try {
    read_hostfile(path);
    ADD_FAILURE() << "took cores=3";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("hosts:2: "), std::string::npos) << error.what();
  }
}

TEST(HostList, FillsMachinesInOrder) {
  const Hosts hosts = {{"a", 2}, {"b", 4}, {"c", 2}};
  EXPECT_EQ(count_slots(hosts), 8);
  EXPECT_EQ(fill_hosts(hosts, 3), (Hosts{{"a", 2}, {"b", 1}}));
  EXPECT_EQ(fill_hosts(hosts, 8), hosts);
  EXPECT_EQ(fill_hosts(hosts, 99), hosts);
  EXPECT_EQ(to_text(fill_hosts(hosts, 3)), "a:2,b:1");
}

TEST(HostList, QuarantineGrowsAndEnds) {
  Quarantine quarantine;
  EXPECT_FALSE(quarantine.holds("a", 0));
  quarantine.tell("a", false, 100);
  EXPECT_TRUE(quarantine.holds("a", 109));
  EXPECT_FALSE(quarantine.holds("a", 111));
  quarantine.tell("a", false, 111);
  EXPECT_TRUE(quarantine.holds("a", 130));
  EXPECT_FALSE(quarantine.holds("b", 130));
  for (int i = 0; i < 50; ++i) quarantine.tell("a", false, 200);
  EXPECT_FALSE(quarantine.holds("a", 501));
  quarantine.tell("a", true, 501);
  quarantine.tell("a", false, 600);
  EXPECT_FALSE(quarantine.holds("a", 611));
}

TEST(HostList, AsksAllAtOnceAndWaitsForNone) {
  const ScratchFolder folder;
  const auto agent = folder.path() / "agent";
  // "slow" never answers, "broken" fails; others run the command.
  write_file_atomically(agent,
                        "#!/bin/sh\nh=$1; shift\ncase $h in slow*) sleep 100;; broken) exit 1;; esac\n"
                        "exec sh -c \"$*\"\n");
  std::filesystem::permissions(agent, std::filesystem::perms::owner_all);
  const auto answers = ask_hosts({{"good", 1}, {"slow1", 1}, {"broken", 1}, {"slow2", 1}, {"localhost", 1}},
                                 agent.string(), "echo some words; echo 7", 1);
  EXPECT_TRUE(answers[0].has_answered);
  EXPECT_EQ(answers[0].processors, 7);
  EXPECT_FALSE(answers[1].has_answered);
  EXPECT_FALSE(answers[2].has_answered);
  EXPECT_FALSE(answers[3].has_answered);
  EXPECT_TRUE(answers[4].has_answered);  // without the agent
}

TEST(HostList, TheLineSaysWhereRanksRun) {
  HostPlan plan;
  plan.hosts = {{"a", 2}, {"b", 1}};
  plan.agent = "ssh -o BatchMode=yes";
  plan.interface = "10.0.0.0/8";
  plan.variables = {"LOCKSTEP_X"};
  const std::string line = shell_text(mpirun_line(plan, {"lockstep", "train"}));
  for (const char* part : {"--host a:2,b:1 -n 3 lockstep train", "--mca btl_tcp_if_include 10.0.0.0/8",
                           "--mca oob_tcp_if_include 10.0.0.0/8", "--mca oob_tcp_keepalive_time 6",
                           "--mca oob_tcp_keepalive_intvl 2", "--mca oob_tcp_keepalive_probes 3",
                           "--mca plm rsh --mca plm_rsh_agent 'ssh -o BatchMode=yes'", "--mca ras '^slurm,",
                           "-x LOCKSTEP_X", "--bind-to core", "--rank-by slot"})
    EXPECT_NE(line.find(part), std::string::npos) << part << " is not in " << line;
  plan.interface = "";
  const std::string unnamed = shell_text(mpirun_line(plan, {"x"}));
  EXPECT_EQ(unnamed.find("if_include"), std::string::npos);
  EXPECT_NE(unnamed.find("--mca oob_tcp_if_exclude docker0,virbr0"), std::string::npos);
  EXPECT_NE(unnamed.find("--mca btl_tcp_if_exclude 127.0.0.1/8,sppp,docker0,virbr0"), std::string::npos);
  setenv("OMPI_MCA_btl_tcp_if_include", "ib0", 1);
  const std::string chosen = shell_text(mpirun_line(plan, {"x"}));
  unsetenv("OMPI_MCA_btl_tcp_if_include");
  EXPECT_EQ(chosen.find("btl_tcp_if_exclude"), std::string::npos) << "Open MPI takes one of both alone";
  EXPECT_NE(chosen.find("oob_tcp_if_exclude"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
