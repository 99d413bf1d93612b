// SPDX-License-Identifier: Apache-2.0
#include "train/step_trace.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <utility>

#include "core/clock.h"
#include "core/json.h"
#include "lockstep/core/error.h"
#include "train/clock_offsets.h"

namespace lockstep {

namespace {

using Spans = std::vector<TraceSpan>;

constexpr const char* kNames[] = {"step", "data", "compute", "exchange", "update", "wait"};

// Collective. Those of all ranks by rank, on the clock of rank 0, in seconds since the first of them.
std::vector<Spans> gather(Communicator& communicator, const Spans& mine,
                          const std::vector<ClockOffset>& offsets) {
  const std::string bytes(reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(TraceSpan));
  std::vector<Spans> all;
  double first = std::numeric_limits<double>::infinity();
  for (const std::string& part : all_gather(communicator, bytes)) {
    const ClockOffset& offset = offsets[all.size()];
    Spans& spans = all.emplace_back(part.size() / sizeof(TraceSpan));
    std::copy_n(part.data(), part.size(), reinterpret_cast<char*>(spans.data()));
    for (TraceSpan& span : spans) span.start_s -= offset.offset_s, span.end_s -= offset.offset_s;
    for (const TraceSpan& span : spans) first = std::min(first, span.start_s);
  }
  for (Spans& spans : all)
    for (TraceSpan& span : spans) span.start_s -= first, span.end_s -= first;
  return all;
}

// A step that was not made because it was not finite is tried again, so a step may have several exchanges.
std::vector<TraceSpan> exchanges_of(const Spans& spans) {
  Spans exchanges;
  std::copy_if(spans.begin(), spans.end(), std::back_inserter(exchanges),
               [](const TraceSpan& span) { return span.phase == TracePhase::kExchange; });
  return exchanges;
}

void add_waits(std::vector<Spans>* ranks) {
  std::vector<double> last_arrival;
  for (const Spans& spans : *ranks) {
    const Spans exchanges = exchanges_of(spans);
    last_arrival.resize(std::max(last_arrival.size(), exchanges.size()));
    for (std::size_t i = 0; i < exchanges.size(); ++i)
      last_arrival[i] = std::max(last_arrival[i], exchanges[i].start_s);
  }
  for (Spans& spans : *ranks) {
    const Spans exchanges = exchanges_of(spans);
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
      const double end = std::min(last_arrival[i], exchanges[i].end_s);
      if (end > exchanges[i].start_s)
        spans.push_back({exchanges[i].step, TracePhase::kWait, exchanges[i].start_s, end});
    }
  }
}

Json name_event(const char* what, std::size_t rank, const std::string& name) {
  return {{"name", what}, {"ph", "M"}, {"pid", rank}, {"tid", rank}, {"args", {{"name", name}}}};
}

}  // namespace

StepTrace::StepTrace(const std::string& option, const std::string& origin) {
  if (option.empty()) return;
  const char *at = option.data(), *const end = at + option.size();
  auto read = std::from_chars(at, end, first_);
  last_ = first_;
  const bool is_range = read.ec == std::errc() && read.ptr != end && *read.ptr == '-';
  if (is_range) read = std::from_chars(read.ptr + 1, end, last_);
  if (read.ec != std::errc() || read.ptr != end || first_ < 1 || last_ < first_)
    throw Error(ExitCode::kConfig, origin + ": log.trace = \"" + option +
                                       "\": expected steps, counted from 1, such as \"100-110\" or \"100\"");
}

void StepTrace::add_step(Index step, const StepMarks& marks) {
  if (!is_traced(step)) return;
  add({step, TracePhase::kExchange, marks.computed_s, marks.reduced_s});
  add({step, TracePhase::kUpdate, marks.reduced_s, marks.end_s});
  add({step, TracePhase::kStep, marks.start_s, marks.end_s});
}

std::string StepTrace::take_json(Communicator& communicator) {
  const std::vector<ClockOffset> offsets = measure_clock_offsets(communicator, now_seconds);
  const std::vector<std::string> hosts = all_gather(communicator, communicator.host());
  std::vector<Spans> ranks = gather(communicator, std::exchange(spans_, {}), offsets);
  if (communicator.rank() != 0) return "";
  add_waits(&ranks);
  Json events = Json::array(), errors = Json::array();
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const std::string name = "rank " + std::to_string(rank);
    events.push_back(name_event("process_name", rank, name + " on " + hosts[rank]));
    events.push_back(name_event("thread_name", rank, name));
    errors.push_back(offsets[rank].error_s * 1e6);
    for (const TraceSpan& span : ranks[rank])
      events.push_back({{"name", kNames[static_cast<std::size_t>(span.phase)]},
                        {"ph", "X"},
                        {"ts", span.start_s * 1e6},
                        {"dur", (span.end_s - span.start_s) * 1e6},
                        {"pid", rank},
                        {"tid", rank},
                        {"args", {{"step", span.step}}}});
  }
  const Json trace = {{"displayTimeUnit", "ms"},
                      {"otherData", {{"schema", "lockstep.trace/1"}, {"clock_error_us", errors}}},
                      {"traceEvents", events}};
  return trace.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep
