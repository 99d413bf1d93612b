// SPDX-License-Identifier: Apache-2.0
#include "data/cache_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <set>

#include "data/hashed_features.h"
#include "data/source_files.h"
#include "lockstep/core/error.h"

namespace lockstep {

static_assert(std::endian::native == std::endian::little, "cache files are little-endian");

namespace {

constexpr std::uint64_t kMostFeatures = std::uint64_t{1} << 32;

}  // namespace

CacheFile::CacheFile(std::filesystem::path path) : path_(path.string()) {
  descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(std::string("cannot be opened: ") + std::strerror(errno));
  try {
    read_header();
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

CacheFile::~CacheFile() {
  close(descriptor_);
}

void CacheFile::fail(const std::string& what) const {
  throw Error(ExitCode::kData, path_ + ": " + what);
}

bool CacheFile::is_one(const std::string& path) {
  char start[sizeof CacheHeader::magic] = {};
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  const bool is_read = pread(descriptor, start, sizeof start, 0) == static_cast<ssize_t>(sizeof start);
  close(descriptor);
  return is_read && std::memcmp(start, CacheHeader().magic, sizeof start) == 0;
}

bool CacheFile::read(std::uint64_t begin, std::size_t size, void* out) const {
  auto* rest = static_cast<char*>(out);
  bool is_at_hand = true;  // for the kernel, until it says otherwise
  while (size > 0) {
    const iovec part{rest, size};
    const ssize_t count =
        preadv2(descriptor_, &part, 1, static_cast<off_t>(begin), is_at_hand ? RWF_NOWAIT : 0);
    if (count > 0) {
      rest += count;
      begin += static_cast<std::uint64_t>(count);
      size -= static_cast<std::size_t>(count);
    } else if (is_at_hand) {
      is_at_hand = false;
    } else if (count == 0) {
      fail("is truncated");
    } else if (errno != EINTR) {
      fail(std::string("cannot be read: ") + std::strerror(errno));
    }
  }
  return is_at_hand;
}

// Sums cannot overflow: every term was compared with the size of the file before.
void CacheFile::check_places(std::uint64_t file_bytes) const {
  const CacheHeader& h = header_;
  const auto check = [&](bool is_good) {
    if (!is_good) fail("its header is malformed");
  };
  check(h.kind <= CacheKind::kSparse && h.has_weights <= 1);
  check(h.label_bytes == 4 || h.label_bytes == 8);
  check(h.features < kMostFeatures && h.rows <= file_bytes && h.entries <= file_bytes);
  check(h.kind == CacheKind::kSparse || h.features <= file_bytes);  // where there are no rows too
  check(h.rows == 0 || cache_row_bytes(h) <= file_bytes / h.rows);
  check(h.entries == 0 || kCacheEntryBytes <= file_bytes / h.entries);
  const std::uint64_t rows_bytes = h.rows * cache_row_bytes(h), entries_bytes = h.entries * kCacheEntryBytes;
  const bool is_sparse = h.kind == CacheKind::kSparse;
  check(h.entries_at == (is_sparse ? kCachePage : 0) && (is_sparse || h.entries == 0));
  check(h.rows_at == kCachePage + (is_sparse ? round_up_page(entries_bytes) : 0));
  check(h.checksums_at == round_up_page(h.rows_at + rows_bytes) && h.checksums_at <= file_bytes);
  const std::uint64_t blocks = (h.checksums_at - kCachePage + kCacheBlock - 1) / kCacheBlock;
  check(h.metadata_at == round_up_page(h.checksums_at + blocks * 8) && h.metadata_at <= file_bytes);
  if (h.metadata_bytes != file_bytes - h.metadata_at) fail("is truncated");
}

// What is counted by rows, features, files or codes fits to these, so that nobody needs to look again.
void CacheFile::check_metadata() const {
  const CacheMetadata& m = metadata_;
  const auto check = [&](bool is_good, const char* what) {
    if (!is_good) fail(std::string("its metadata is malformed: ") + what);
  };
  const auto fits = [&](std::size_t count) { return count == 0 || count == header_.features; };
  check(fits(m.feature_names.size()), "feature_names are not one for each feature");
  check(is_sound(m.hashed, static_cast<Index>(header_.features)), "hashed features are malformed");
  check(m.hashed.bits <= 0 || header_.kind == CacheKind::kSparse, "hashed features of dense rows");
  check(fits(m.categories.size()), "categories are not one list for each feature");
  const bool is_float = header_.kind == CacheKind::kFloat32 || header_.kind == CacheKind::kFloat16;
  check(m.categories.empty() || is_float, "categories of features that are no codes");
  for (const std::vector<std::string>& texts : m.categories)
    check(std::set(texts.begin(), texts.end()).size() == texts.size(), "a category stands twice");
  check(m.bad_count >= 0, "bad_count is negative");
  const MissingValue none, missing = m.missing.value_or(none);
  check(missing.row >= -1 && missing.row < rows() && missing.feature >= 0 &&
            missing.feature < std::max<Index>(static_cast<Index>(header_.features), 1),
        "a missing value outside of the rows");
  Index next = 0;
  for (const LineRun& run : m.lines) {
    check(run.row >= next && run.row < std::max<Index>(rows(), 1) && (next > 0 || run.row == 0),
          "lines of rows that do not follow each other");
    check(run.file >= 0 && static_cast<std::size_t>(run.file) < std::max<std::size_t>(m.files.size(), 1),
          "lines of a file that is not named");
    check(run.line >= 1 && run.line < (Index{1} << kFileShift) - rows(), "a line beyond any file");
    next = run.row + 1;
  }
}

void CacheFile::read_header() {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) fail("is no file");
  const auto file_bytes = static_cast<std::uint64_t>(status.st_size);
  if (file_bytes < kCachePage) fail("is no cache file");
  std::uint64_t hash = 0;
  read(0, sizeof header_, &header_);
  read(sizeof header_, sizeof hash, &hash);
  if (std::memcmp(header_.magic, CacheHeader().magic, sizeof header_.magic) != 0) fail("is no cache file");
  if (header_.version != CacheHeader().version)
    fail("is a cache file of version " + std::to_string(header_.version) + ", this program knows " +
         std::to_string(CacheHeader().version));
  if (hash != XXH3_64bits(&header_, sizeof header_)) fail("the check sum of its header is wrong");
  check_places(file_bytes);
  checksums_.resize((header_.checksums_at - kCachePage + kCacheBlock - 1) / kCacheBlock);
  read(header_.checksums_at, checksums_.size() * 8, checksums_.data());
  if (header_.checksums_hash != XXH3_64bits(checksums_.data(), checksums_.size() * 8))
    fail("its table of check sums is damaged");
  std::string text(header_.metadata_bytes, 0);
  read(header_.metadata_at, text.size(), text.data());
  if (header_.metadata_hash != XXH3_64bits(text.data(), text.size())) fail("its metadata is damaged");
  try {
    metadata_ = CacheMetadata::from_json(text);
  } catch (const std::exception& error) {
    fail(std::string("its metadata is malformed: ") + error.what());
  }
  check_metadata();
}

std::size_t CacheFile::block_bytes(std::uint64_t block) const {
  return static_cast<std::size_t>(std::min(kCacheBlock, header_.checksums_at - block_begin(block)));
}

void CacheFile::verify(std::uint64_t block, const void* data) const {
  if (XXH3_64bits(data, block_bytes(block)) == checksums_[block]) return;
  const std::uint64_t begin = block_begin(block);
  fail("is damaged: bytes " + std::to_string(begin) + " … " + std::to_string(begin + block_bytes(block) - 1) +
       " do not have their check sum");
}

RowSchema CacheFile::schema() const {
  RowSchema schema;
  schema.is_sparse = header_.kind == CacheKind::kSparse;
  schema.is_bytes = header_.kind == CacheKind::kBytes;
  schema.features = static_cast<Index>(header_.features);
  schema.rows = rows();
  schema.has_weights = header_.has_weights != 0;
  schema.feature_names = metadata_.feature_names;
  schema.hashed = metadata_.hashed;
  schema.classes = metadata_.classes;
  schema.warnings = metadata_.warnings;
  for (const std::vector<std::string>& texts : metadata_.categories)
    schema.is_category.push_back(!texts.empty());
  return schema;
}

}  // namespace lockstep
