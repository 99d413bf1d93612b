// SPDX-License-Identifier: Apache-2.0
#include "data/cache_load.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "comm/agreement.h"
#include "data/cache_rows.h"
#include "data/row_router.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::size_t kRecordBytes = 131072;  // stay in the cache of a core while they are used

class Loader {
 public:
  Loader(const CacheFile& file, Communicator* communicator, const CacheTargets& targets)
      : file_(file), communicator_(communicator), targets_(targets) {
    const bool is_alone = communicator == nullptr || communicator->size() == 1;
    mine_ = is_alone ? TreeNode{0, targets.shards} : targets.hosted;
  }

  void begin() {
    RowSchema schema = file_.schema();
    targets_.train.begin(schema, static_cast<Index>(file_.header().entries));
    schema.rows = -1;  // how many will be validation rows is not known
    if (targets_.valid != nullptr) targets_.valid->begin(schema);
    if (targets_.has_classes) number_labels();
    name_categories();
    set_origin();
  }

  // Ends at the first row that is wrong, of those of this rank.
  void read() {
    const bool takes_all = !targets_.filter.splits() && targets_.bad == nullptr;
    if (takes_all && targets_.train.takes_records()) return read_records();
    CacheRows rows(file_);
    Row row;
    Counter train(targets_.shards), valid(targets_.shards);
    while (rows.number() < file_.rows()) {
      const bool is_valid = targets_.filter.is_valid(rows.number());
      Counter& counter = is_valid ? valid : train;
      DatasetBuilder& target = is_valid ? *targets_.valid : targets_.train;
      const bool is_mine = counter.shard >= mine_.first && counter.shard < mine_.last;
      if (is_mine || targets_.bad != nullptr) {
        wrong_row_ = rows.number();
        rows.next(row);
        if (targets_.bad != nullptr && !is_good(target, row, *targets_.bad)) continue;
        if (is_mine) target.add(counter.number, row);
      } else {
        rows.skip();
      }
      counter.step();
    }
    wrong_row_ = std::numeric_limits<Index>::max();
    train_rows_ = train.number;
    valid_rows_ = valid.number;
  }

  Index wrong_row() const { return wrong_row_; }

  void share() {
    if (communicator_ == nullptr || communicator_->size() == 1) return;
    targets_.train.share(*communicator_, train_rows_);
    if (targets_.valid != nullptr) targets_.valid->share(*communicator_, valid_rows_);
  }

 private:
  // The next row of a data set, and its shard.
  struct Counter {
    explicit Counter(int count) : shards(count) {}
    void step() {
      ++number;
      if (++shard == shards) shard = 0;
    }
    int shards;
    Index number = 0;
    int shard = 0;
  };

  // Many rows of a shard at a time, which takes a third of the time of one by one.
  void read_records() {
    const CacheHeader& header = file_.header();
    const auto row_bytes = static_cast<std::size_t>(cache_row_bytes(header));
    const auto shards = static_cast<std::size_t>(targets_.shards);
    const std::size_t at_once = std::max<std::size_t>(kRecordBytes / row_bytes / shards, 1) * shards;
    const StoredLabels labels = targets_.train.stored_labels(file_.metadata());
    CacheBytes bytes(file_, header.rows_at, header.rows_at + header.rows * row_bytes);
    for (std::size_t first = 0; first < header.rows; first += at_once) {
      const std::size_t count = std::min(at_once, static_cast<std::size_t>(header.rows) - first);
      wrong_row_ = static_cast<Index>(first);
      const char* const records = bytes.take(count * row_bytes);
      for (auto shard = static_cast<std::size_t>(mine_.first);
           shard < std::min(static_cast<std::size_t>(mine_.last), count); ++shard) {
        const bool are_good = targets_.train.add_records(
            static_cast<Index>(first + shard), header,
            {records + shard * row_bytes, shards * row_bytes, (count - shard + shards - 1) / shards}, labels);
        if (!are_good) fail(first, count);
      }
    }
    wrong_row_ = std::numeric_limits<Index>::max();
    train_rows_ = file_.rows();
  }

  // One of these rows is wrong: the first of those of this rank is told as it always is.
  [[noreturn]] void fail(std::size_t first, std::size_t count) {
    CacheRows rows(file_, static_cast<Index>(first));
    Row row;
    while (rows.number() < static_cast<Index>(first + count)) {
      const Index number = rows.number();
      const auto shard = static_cast<int>(number % targets_.shards);
      wrong_row_ = number;
      rows.next(row);
      if (shard >= mine_.first && shard < mine_.last) targets_.train.add(number, row);
    }
    file_.fail("its metadata are malformed: they do not list the label of one of rows " +
               std::to_string(first) + " to " + std::to_string(first + count - 1));
  }

  // Before any row: all ranks give the same numbers.
  void number_labels() {
    const CacheMetadata& metadata = file_.metadata();
    if (!metadata.has_label_values)
      throw Error(ExitCode::kData,
                  metadata.source + ": more than 65536 different labels; is this a regression?");
    for (const double number : metadata.label_numbers) targets_.labels.find({true, number, {}});
    for (const std::string& text : metadata.label_texts) targets_.labels.find({false, 0, text});
  }

  // The codes in the rows are those of the metadata.
  void name_categories() {
    const auto& categories = file_.metadata().categories;
    for (std::size_t j = 0; j < categories.size(); ++j)
      for (const std::string& text : categories[j]) {
        targets_.train.category(static_cast<Index>(j), text);
        if (targets_.valid != nullptr) targets_.valid->category(static_cast<Index>(j), text);
      }
  }

  void set_origin() {
    CacheRows rows(file_);
    Row row;
    while (rows.number() < file_.rows()) {
      const bool is_valid = targets_.filter.is_valid(rows.number());
      rows.next(row);
      if (is_valid || !(row.weight > 0)) continue;
      BadRows bad;
      if (targets_.bad != nullptr && !is_good(targets_.train, row, bad)) continue;
      return targets_.train.set_origin(row);
    }
  }

  const CacheFile& file_;
  Communicator* communicator_;
  const CacheTargets& targets_;
  TreeNode mine_;
  Index wrong_row_ = -1;
  Index train_rows_ = 0, valid_rows_ = 0;
};

// Collective. The error of the lowest row, on all ranks.
void agree_on_error(Communicator& communicator, Index row, const std::exception_ptr& error) {
  std::vector<Index> rows(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &row, sizeof row, rows.data());
  Index lowest = std::numeric_limits<Index>::max();
  for (const Index other : rows) lowest = std::min(lowest, other);
  if (lowest == std::numeric_limits<Index>::max()) return rethrow_first_error(communicator, error);
  std::string mine;
  if (error && row == lowest) {
    try {
      std::rethrow_exception(error);
    } catch (const Error& caught) {
      mine = static_cast<char>(caught.code()) + std::string(caught.what());
    } catch (const std::exception& caught) {
      mine = static_cast<char>(ExitCode::kInternal) + std::string(caught.what());
    }
  }
  for (const std::string& text : all_gather(communicator, mine))
    if (!text.empty()) throw AgreedError(static_cast<ExitCode>(text[0]), text.substr(1));
}

}  // namespace

void load_from_cache(const CacheFile& file, Communicator* communicator, const CacheTargets& targets) {
  Loader loader(file, communicator, targets);
  if (communicator == nullptr) {
    loader.begin();
    return loader.read();
  }
  std::exception_ptr error;
  try {
    loader.begin();
    loader.read();
  } catch (...) {
    error = std::current_exception();
  }
  agree_on_error(*communicator, error ? loader.wrong_row() : std::numeric_limits<Index>::max(), error);
  loader.share();
}

}  // namespace lockstep
