// SPDX-License-Identifier: Apache-2.0
#include "data/synthesize.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "comm/agreement.h"
#include "data/cache_label.h"
#include "data/cache_writer.h"
#include "data/demo_rows.h"
#include "data/import_notes.h"
#include "data/row_encoder.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr Index kPartBytes = Index{4} << 20;

class Synthesis {
 public:
  Synthesis(Communicator& communicator, const std::string& source, CacheKind kind,
            const std::filesystem::path& path)
      : communicator_(communicator), source_(source) {
    on_all_ranks(communicator, [&] {
      options_ = parse_demo(source);
      rows_ = make_demo_rows(source);
      schema_ = rows_->schema();
    });
    header_.kind = kind_of_rows(kind, schema_);
    header_.features = static_cast<std::uint64_t>(schema_.features);
    header_.label_bytes = schema_.classes.empty() ? 8 : 4;
    const Index row_bytes = static_cast<Index>(cache_row_bytes(header_)) + entries_of_row() * 8;
    part_rows_ = std::max<Index>(kPartBytes / row_bytes, 1);
    writer_.emplace(communicator, path, header_);
    encoder_.emplace(header_);
  }

  void run() {
    const Index round = part_rows_ * writer_->writers();
    for (Index first = 0; first < options_.rows; first += round) {
      on_all_ranks(communicator_, [&] {
        if (communicator_.rank() < writer_->writers()) write_part(first + communicator_.rank() * part_rows_);
      });
      const Index done = std::min(first + round, options_.rows);
      on_all_ranks(communicator_, [&] {
        if (communicator_.rank() < writer_->writers())
          writer_->advance(done, static_cast<std::uint64_t>(done * entries_of_row()));
      });
    }
    CacheMetadata metadata;
    metadata.source = source_;
    metadata.files = {source_};
    metadata.hashed = schema_.hashed;
    metadata.classes = schema_.classes;
    notes_.gather(communicator_, metadata);
    writer_->finish(options_.rows, static_cast<std::uint64_t>(options_.rows * entries_of_row()), metadata);
  }

 private:
  Index entries_of_row() const { return schema_.is_sparse ? options_.nonzeros : 0; }

  void write_part(Index first) {
    const Index last = std::min(first + part_rows_, options_.rows);
    if (first >= last) return;
    const auto first_entry = static_cast<std::uint64_t>(first * entries_of_row());
    encoder_->clear(first_entry);
    for (Index i = first; i < last; ++i) {
      Row row;
      rows_->make(static_cast<std::uint64_t>(options_.first_row + i), row);
      encoder_->add(row, row.label.number);
      notes_.add_row(schema_, {i, 0, i + 1}, encoder_->stored(row), row.label.number);
    }
    writer_->write_rows(first, encoder_->records());
    if (schema_.is_sparse) writer_->write_entries(first_entry, encoder_->entries());
  }

  Communicator& communicator_;
  std::string source_;
  DemoOptions options_;
  std::unique_ptr<DemoRows> rows_;
  RowSchema schema_;
  CacheHeader header_;
  Index part_rows_ = 1;
  std::optional<CacheWriter> writer_;
  std::optional<RowEncoder> encoder_;
  ImportNotes notes_;
};

}  // namespace

void synthesize(Communicator& communicator, const std::string& source, CacheKind kind,
                const std::filesystem::path& path) {
  Synthesis(communicator, source, kind, path).run();
}

}  // namespace lockstep
