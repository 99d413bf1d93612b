// SPDX-License-Identifier: Apache-2.0
#include "report/metrics_intake.h"

#include <charconv>
#include <fstream>

#include "core/json.h"
#include "report/flat_object.h"

namespace lockstep {

void MetricsIntake::read(const std::filesystem::path& file) {
  std::vector<char> buffer(std::size_t{1} << 18);
  std::ifstream in;
  in.rdbuf()->pubsetbuf(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  in.open(file, std::ios::binary);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) add_line(line);
}

void MetricsIntake::add_line(std::string_view line) {
  kind_ = hash_ = source_ = {};
  place_ = {};
  is_best_ = false;
  values_.clear();
  if (!collect(line)) return;
  store();
}

// False: the line is finished with.
bool MetricsIntake::collect(std::string_view line) {
  for (FlatObject object(line);;) {
    const FlatObject::Member member = object.next();
    switch (member.kind) {
      case FlatObject::Kind::kEnd:
        return true;
      case FlatObject::Kind::kBroken:
        ++run_.unread_lines;
        return false;
      case FlatObject::Kind::kNested:
        add_nested(line);
        return false;
      case FlatObject::Kind::kOther:
        is_best_ |= member.key == "best" && member.text == "true";
        break;
      case FlatObject::Kind::kText:
        if (member.key == "kind") kind_ = member.text;
        if (member.key == "parameters_hash") hash_ = member.text;
        if (member.key == "noise.source") source_ = member.text;
        if (kind_ == "schema") run_.notes[std::string(member.key)] = std::string(member.text);
        break;
      case FlatObject::Kind::kNumber:
        if (member.key == "step")
          place_.step = member.number;
        else if (member.key == "epoch")
          place_.epoch = member.number;
        else if (member.key == "rows" && kind_ != "schema")
          place_.rows = member.number;
        else if (member.key == "train_s")
          place_.train_s = member.number;
        else
          values_.push_back({member.key, member.number});
    }
  }
}

void MetricsIntake::store() {
  if (kind_ == "schema") {
    for (const Value& value : values_) run_.facts[std::string(value.key)] = value.number;
    return;
  }
  if (kind_ == "hash") {
    std::uint64_t digits = 0;
    std::from_chars(hash_.data(), hash_.data() + std::min<std::size_t>(hash_.size(), 16), digits, 16);
    run_.hashes.emplace_back(static_cast<std::int64_t>(place_.step), digits);
    return;
  }
  if (!source_.empty()) run_.notes["noise.source"] = std::string(source_);
  if (is_best_) run_.best = place_, run_.has_best = true;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    place_.value = values_[i].number;
    // A line of kind "batch" says when the batch changed; the batch of every step stands in the step lines.
    if (kind_ == "batch" && values_[i].key != "rate_gain")
      course_of("chosen." + std::string(values_[i].key), i)->add(place_);
    else
      course_of(values_[i].key, i)->add(place_);
  }
}

Course* MetricsIntake::course_of(std::string_view key, std::size_t place) {
  if (place < order_.size() && order_[place].key == key) return order_[place].course;
  auto found = run_.courses.find(key);
  if (found == run_.courses.end()) found = run_.courses.emplace(std::string(key), Course(buckets_)).first;
  if (place >= order_.size()) order_.resize(place + 1);
  order_[place] = {std::string(key), &found->second};
  return &found->second;
}

// Lines of kind "time": seconds of every rank since the line before.
void MetricsIntake::add_nested(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) {
    ++run_.unread_lines;
    return;
  }
  if (json.value("kind", "") != "time" || !json.contains("ranks") || !json["ranks"].is_array()) return;
  const Json& ranks = json["ranks"];
  if (run_.ranks.size() < ranks.size()) run_.ranks.resize(ranks.size());
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (!ranks[i].is_object()) continue;
    const auto number = [&](const char* key) {
      const auto found = ranks[i].find(key);
      return found != ranks[i].end() && found->is_number() ? found->get<double>() : 0.0;
    };
    RankSeconds& sum = run_.ranks[i];
    sum.data += number("data");
    sum.compute += number("compute");
    sum.exchange += number("exchange");
    sum.wait += number("wait");
    sum.update += number("update");
    sum.late_ms += number("late_ms");
  }
}

}  // namespace lockstep
