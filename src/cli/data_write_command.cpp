// SPDX-License-Identifier: Apache-2.0
#include "cli/data_write_command.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "cli/local_launch.h"
#include "cli/ranks.h"
#include "comm/agreement.h"
#include "core/config.h"
#include "core/philox.h"
#include "data/block_parser.h"
#include "data/cache_sink.h"
#include "data/import_text.h"
#include "data/numbers.h"
#include "data/source_files.h"
#include "data/source_reader.h"
#include "data/synthesize.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

std::filesystem::path output_of(const CommandLine& line, const char* command) {
  if (!line.has("out"))
    throw Error(ExitCode::kUsage,
                fmt::format("`lockstep data {0}` needs -o FILE; see `lockstep data {0} --help`", command));
  return std::filesystem::absolute(line.text("out"));
}

std::optional<CacheKind> kind_of(const CommandLine& line) {
  const std::string type = line.text("type");
  if (type.empty()) return {};
  if (type == "float32") return CacheKind::kFloat32;
  if (type == "float16") return CacheKind::kFloat16;
  if (type == "uint8") return CacheKind::kBytes;
  throw Error(ExitCode::kUsage, "--type " + type + ": float32, float16 or uint8 was expected");
}

int synth(const CommandContext& context) {
  const CommandLine& line = context.line;
  const std::filesystem::path out = output_of(line, "synth");
  const std::string source = line.positional()[0];
  const CacheKind kind = kind_of(line).value_or(CacheKind::kFloat32);
  if (!source.starts_with("demo:"))
    throw Error(ExitCode::kUsage,
                source + ": a source as demo:logistic?rows=1000000&features=28 was expected");
  if (const auto code = launch_ranks(context)) return *code;
  return run_as_rank(600, [&](Communicator& communicator) {
    synthesize(communicator, source, kind, out);
    if (communicator.rank() == 0) fmt::print("{}\n", out.string());
    return 0;
  });
}

void convert_here(const std::string& source, const Options& options, const CommandContext& context,
                  const std::filesystem::path& out) {
  write_cache({out, source, kind_of(context.line), 4, source_files(source)},
              [&](CacheSink& sink) { read_source(source, options, context.plugins.formats, sink); });
}

// What has a parser is parsed by all ranks; of all else one reads and the others wait.
int convert(const CommandContext& context) {
  const CommandLine& line = context.line;
  const std::filesystem::path out = output_of(line, "convert");
  const std::string source = line.positional()[0];
  const Options options = resolve_config(context.table, line.config());
  kind_of(line);
  if (const auto code = launch_ranks(context)) return *code;
  return run_as_rank(options.real("comm.timeout_s"), [&](Communicator& communicator) {
    std::vector<std::string> files;
    std::unique_ptr<Format> format;
    bool has_parser = false;
    on_all_ranks(communicator, [&] {
      files = source_files(source);
      format = format_of(files[0], options, context.plugins.formats).create(options);
      has_parser = format->parser(files[0], -1) != nullptr;
    });
    if (has_parser) {
      ImportRequest request{*format, source, files, {}};
      request.refuses_bad_rows =
          options.table().find("data.on_bad_row") == nullptr || options.text("data.on_bad_row") == "refuse";
      request.kind = kind_of(line);
      import_text(communicator, request, out);
    } else {
      on_all_ranks(communicator, [&] {
        if (communicator.rank() == 0) convert_here(source, options, context, out);
      });
    }
    if (communicator.rank() == 0) fmt::print("{}\n", out.string());
    return 0;
  });
}

double share_of(const CommandLine& line, const char* flag) {
  double share = 0;
  const std::string text = line.text(flag, "0");
  if (!read_whole(text, share) || !(share >= 0 && share < 1))
    throw Error(ExitCode::kUsage, fmt::format("--{} {}: a share from 0 to 1 was expected", flag, text));
  return share;
}

/// Deals rows out by a keyed hash of their number.
class SplitSink final : public RowSink {
 public:
  SplitSink(std::uint64_t seed, std::array<double, 3> limits, std::array<CacheSink*, 3> sinks)
      : random_(seed, Purpose::kSplit, 2), limits_(limits), sinks_(sinks) {}
  void begin(const RowSchema& schema) override {
    RowSchema part = schema;
    part.rows = -1;
    for (CacheSink* sink : sinks_)
      if (sink != nullptr) sink->begin(part);
  }
  bool wants_next() const override { return true; }
  void skip() override { ++row_; }
  std::int32_t category(Index feature, std::int32_t code, const std::string& text) override {
    for (CacheSink* sink : sinks_)  // told the same texts, they give the same codes
      if (sink != nullptr) code = sink->category(feature, code, text);
    return code;
  }
  void skip_bad(Index count, const std::vector<std::string>& named) override {
    sinks_[0]->skip_bad(count, named);
    fmt::print(stderr, "{}\n", skipped_sentence({count, named}));
  }
  void add(const Row& row) override {
    const double at = static_cast<double>(random_.bits(row_++) >> 11) * 0x1p-53;
    std::size_t part = 0;
    while (part < 2 && at >= limits_[part]) ++part;
    sinks_[part]->add(row);
  }

 private:
  Philox random_;
  std::array<double, 3> limits_;
  std::array<CacheSink*, 3> sinks_;
  std::uint64_t row_ = 0;
};

int split(const CommandContext& context) {
  const CommandLine& line = context.line;
  const std::string prefix = output_of(line, "split").string(), source = line.positional()[0];
  const double valid = share_of(line, "valid"), test = share_of(line, "test");
  if (valid + test >= 1 || valid + test <= 0)
    throw Error(ExitCode::kUsage, "--valid and --test: shares that leave rows for training were expected");
  const auto seed = static_cast<std::uint64_t>(line.integer("seed", 1, 0));
  const Options options = resolve_config(context.table, line.config());
  constexpr std::array<const char*, 3> kNames{"train", "valid", "test"};
  const std::array<double, 3> shares{1 - valid - test, valid, test};
  for (const std::uint32_t label_bytes : {4U, 8U}) {
    std::array<std::unique_ptr<CacheSink>, 3> parts;
    std::array<CacheSink*, 3> sinks{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (shares[i] <= 0) continue;
      const std::string path = prefix + "-" + kNames[i] + ".rows";
      parts[i] = std::make_unique<CacheSink>(CacheSink::Settings{
          path, source + " (" + kNames[i] + ")", kind_of(line), label_bytes, source_files(source)});
      sinks[i] = parts[i].get();
    }
    try {
      SplitSink sink(seed, {shares[0], shares[0] + shares[1], 1}, sinks);
      read_source(source, options, context.plugins.formats, sink);
    } catch (const CacheSink::NeedsLongLabels&) {
      continue;
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] == nullptr) continue;
      parts[i]->finish();
      fmt::print("{}-{}.rows: {} rows\n", prefix, kNames[i], parts[i]->rows());
    }
    return 0;
  }
  return 0;
}

}  // namespace

void add_data_write_commands(std::vector<Command>* rows) {
  const Flag out{"out", "FILE", "the cache file to write", 'o'};
  const Flag type{"type", "TYPE", "how dense features are stored: float32, float16 or uint8"};
  rows->push_back({{"data synth", "DEMO", 1, 1, false, {out, type, ranks_flag()}},
                   "Writes the rows of a demo: source to a cache file.",
                   synth});
  rows->push_back({{"data convert", "SOURCE", 1, 1, true, {out, type, ranks_flag()}},
                   "Writes the rows of any source to a cache file.",
                   convert});
  rows->push_back({{"data split",
                    "SOURCE",
                    1,
                    1,
                    true,
                    {{"out", "PREFIX", "writes PREFIX-train.rows and so on", 'o'},
                     type,
                     {"valid", "SHARE", "of the rows, for PREFIX-valid.rows"},
                     {"test", "SHARE", "of the rows, for PREFIX-test.rows"},
                     {"seed", "N", "another division; 1 without it"}}},
                   "Divides the rows of a source by chance into cache files.",
                   split});
}

}  // namespace lockstep
