// SPDX-License-Identifier: Apache-2.0
#include "comm/agreement.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/caught_error.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::size_t kLongestValue = 200;

std::string shortened(const std::string& text) {
  return text.size() <= kLongestValue ? text : text.substr(0, kLongestValue) + "…";
}

// "rank 3 on n1", "ranks 0–2 on n1, 5 on n2": runs of neighbours on one host.
std::string describe(const std::vector<std::size_t>& ranks, const std::vector<std::string>& hosts) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t end = i + 1;
    while (end < ranks.size() && ranks[end] == ranks[end - 1] + 1 && hosts[ranks[end]] == hosts[ranks[i]])
      ++end;
    if (i > 0) text += ", ";
    text += std::to_string(ranks[i]);
    if (end - i > 1) text += "–" + std::to_string(ranks[end - 1]);
    text += " on " + hosts[ranks[i]];
    i = end;
  }
  return text;
}

// The exit code as one character, then the message; empty: no error.
std::string encode(const std::exception_ptr& error) {
  if (!error) return {};
  const Error told = caught_error(error);
  return static_cast<char>(told.code()) + std::string(told.what());
}

}  // namespace

void require_agreement(Communicator& communicator, const std::string& what, const std::string& mine) {
  const std::vector<std::string> values = all_gather(communicator, mine);
  if (std::all_of(values.begin(), values.end(), [&](const auto& value) { return value == values[0]; }))
    return;
  const std::vector<std::string> hosts = all_gather(communicator, communicator.host());
  std::vector<std::pair<std::string, std::vector<std::size_t>>> groups;
  for (std::size_t r = 0; r < values.size(); ++r) {
    const auto same = [&](const auto& group) { return group.first == values[r]; };
    auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) group = groups.insert(groups.end(), {values[r], {}});
    group->second.push_back(r);
  }
  std::string message = "the ranks do not have the same " + what + ":";
  for (const auto& [value, ranks] : groups)
    message += (ranks[0] == 0 ? " " : "; ") + describe(ranks, hosts) + ": \"" + shortened(value) + "\"";
  throw AgreedError(ExitCode::kDisagree, message + ".");
}

std::string describe_ranks(Communicator& communicator, const std::vector<int>& ranks) {
  return describe({ranks.begin(), ranks.end()}, all_gather(communicator, communicator.host()));
}

void rethrow_first_error(Communicator& communicator, std::exception_ptr mine) {
  const std::vector<std::string> errors = all_gather(communicator, encode(mine));
  const auto first =
      std::find_if(errors.begin(), errors.end(), [](const auto& text) { return !text.empty(); });
  if (first == errors.end()) return;
  const std::vector<std::string> hosts = all_gather(communicator, communicator.host());
  const auto rank = static_cast<std::size_t>(first - errors.begin());
  const auto code = static_cast<ExitCode>((*first)[0]);
  std::string message = first->substr(1);
  const bool is_shared =
      std::all_of(errors.begin(), errors.end(), [&](const auto& text) { return text == *first; });
  if (!is_shared) message = describe({rank}, hosts) + ": " + message;
  throw AgreedError(code, message);
}

}  // namespace lockstep
