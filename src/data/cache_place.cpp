// SPDX-License-Identifier: Apache-2.0
#include "data/cache_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iomanip>
#include <set>
#include <sstream>
#include <type_traits>
#include <variant>

#include "core/hash.h"
#include "data/cache_layout.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kAutoBytes = std::uint64_t{16} << 20;
constexpr std::uint64_t kSampleBytes = 4096;
constexpr std::uint64_t kSamples = 64;
constexpr std::uint64_t kWholeBytes = std::uint64_t{1} << 20;  // up to here all bytes are hashed

/// Options that say what is made of the rows, not what they are.
const std::set<std::string> kUses = {
    "data.train",       "data.valid",  "data.test",          "data.valid_labels",
    "data.test_labels", "data.format", "data.features",      "data.index_base",
    "data.standardize", "data.scale",  "data.class_weights", "data.shuffle_window",
    "data.split_seed",  "data.cache",  "data.cache_check",   "data.memory_limit"};

class SampledFile {
 public:
  explicit SampledFile(const std::string& path)
      : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0 || fstat(descriptor_, &status_) != 0)
      throw Error(ExitCode::kData, path + ": cannot be opened: " + std::strerror(errno));
  }
  ~SampledFile() { close(descriptor_); }
  SampledFile(const SampledFile&) = delete;
  SampledFile& operator=(const SampledFile&) = delete;

  std::string identity(bool is_full) {
    const auto size = static_cast<std::uint64_t>(status_.st_size);
    std::string text = fs::absolute(path_).lexically_normal().string() + "\n" + std::to_string(size) + " " +
                       std::to_string(status_.st_mtim.tv_sec) + "." +
                       std::to_string(status_.st_mtim.tv_nsec) + " ";
    if (is_full || size <= kWholeBytes) {
      for (std::uint64_t at = 0; at < size; at += buffer_.size()) add(at, buffer_.size());
    } else {
      for (std::uint64_t i = 0; i < kSamples; ++i)
        add((size - kSampleBytes) / (kSamples - 1) * i, kSampleBytes);
      add(size - kSampleBytes, kSampleBytes);
    }
    return text + hash_.hex() + "\n";
  }

 private:
  void add(std::uint64_t at, std::uint64_t size) {
    const ssize_t count = pread(descriptor_, buffer_.data(), size, static_cast<off_t>(at));
    if (count < 0) throw Error(ExitCode::kData, path_ + ": cannot be read: " + std::strerror(errno));
    hash_.add(buffer_.data(), static_cast<std::size_t>(count));
  }

  std::string path_;
  int descriptor_;
  struct stat status_ {};
  std::string buffer_ = std::string(std::size_t{1} << 18, 0);
  Hash hash_;
};

std::string text_of(const OptionValue& value) {
  std::ostringstream text;
  text << std::setprecision(17);
  std::visit(
      [&](const auto& item) {
        using Item = std::decay_t<decltype(item)>;
        if constexpr (std::is_arithmetic_v<Item> || std::is_same_v<Item, std::string>)
          text << item;
        else
          for (const auto& part : item) text << part << ",";
      },
      value);
  return text.str();
}

// Whatever a format declares may change its rows.
std::string rules_of(const Options& options, const std::string& format) {
  std::string text;
  for (const OptionSpec& spec : options.table().specs()) {
    const bool is_of_format =
        spec.selector == "data.format" && std::count(spec.owners.begin(), spec.owners.end(), format) > 0;
    const bool is_rule = spec.selector.empty() && spec.key.starts_with("data.") && !kUses.contains(spec.key);
    if (is_of_format || is_rule) text += spec.key + " = " + text_of(options.value(spec.key)) + "\n";
  }
  if (format == "csv") text += "columns of words = those of any file\n";  // once: those of the first file
  return text;
}

// Readable, and a name of its own for other files and other rules.
std::string name_of(const std::vector<std::string>& files, const std::string& rules) {
  std::string names = rules;
  for (const std::string& file : files) names += fs::absolute(file).lexically_normal().string() + "\n";
  std::string stem = fs::path(files[0]).filename().string().substr(0, 64);
  if (files.size() > 1) stem += "+" + std::to_string(files.size() - 1);
  return stem + "-" + hash_hex(names.data(), names.size()).substr(0, 16) + ".rows";
}

}  // namespace

fs::path cache_directory(const fs::path& run_root) {
  const fs::path root = fs::absolute(run_root).lexically_normal();
  return (root.has_filename() ? root : root.parent_path()).string() + ".cache";
}

CachePlace cache_place(const std::vector<std::string>& files, const std::string& format,
                       Index unlabelled_features, const Options& options, const fs::path& directory) {
  const std::string rules = "format = " + format + "\nunlabelled = " + std::to_string(unlabelled_features) +
                            "\n" + rules_of(options, format);
  const std::string& cache = options.text("data.cache");
  const bool is_named = cache != "auto" && cache != "on" && cache != "off";
  CachePlace place{(is_named ? fs::path(cache) : directory) / name_of(files, rules), {}};
  place.path = fs::absolute(place.path).lexically_normal();
  const bool is_full = options.text("data.cache_check") == "full";
  place.identity = "version " + std::to_string(CacheHeader().version) + ", metadata 2\n";
  for (const std::string& file : files) place.identity += SampledFile(file).identity(is_full);
  place.identity += rules;
  return place;
}

bool wants_cache(const std::vector<std::string>& files, const Options& options, const fs::path& directory) {
  const std::string& cache = options.text("data.cache");
  if (cache == "off" || (directory.empty() && (cache == "auto" || cache == "on"))) return false;
  std::uint64_t bytes = 0;
  for (const std::string& file : files) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return false;
    bytes += fs::file_size(file, error);
  }
  return cache != "auto" || bytes >= kAutoBytes || !options.text("data.memory_limit").empty();
}

}  // namespace lockstep
