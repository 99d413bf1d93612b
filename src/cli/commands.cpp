// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "cli/bench_allreduce_command.h"
#include "cli/bench_scaling_command.h"
#include "cli/bench_step_command.h"
#include "cli/checkpoint_command.h"
#include "cli/config_command.h"
#include "cli/data_command.h"
#include "cli/data_write_command.h"
#include "cli/doctor_command.h"
#include "cli/eval_command.h"
#include "cli/launch_command.h"
#include "cli/predict_command.h"
#include "cli/replay_command.h"
#include "cli/report_command.h"
#include "cli/resume_command.h"
#include "cli/study_command.h"
#include "cli/train_command.h"
#include "cli/tune_command.h"
#include "cli/verify_command.h"
#include "cli/watch_command.h"

namespace lockstep {

// One line for each file of subcommands: it appends its rows.
std::vector<Command> commands() {
  std::vector<Command> rows;
  add_train_commands(&rows);
  add_resume_commands(&rows);
  add_launch_command(&rows);
  add_study_command(&rows);
  add_tune_command(&rows);
  add_eval_commands(&rows);
  add_predict_commands(&rows);
  add_verify_commands(&rows);
  add_replay_command(&rows);
  add_watch_command(&rows);
  add_checkpoint_commands(&rows);
  add_data_commands(&rows);
  add_data_write_commands(&rows);
  add_config_commands(&rows);
  add_bench_allreduce_command(&rows);
  add_bench_step_command(&rows);
  add_bench_scaling_command(&rows);
  add_report_command(&rows);
  add_doctor_command(&rows);
  return rows;
}

}  // namespace lockstep
