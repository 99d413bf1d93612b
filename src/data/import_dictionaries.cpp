// SPDX-License-Identifier: Apache-2.0
#include "data/import_dictionaries.h"

#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

void put(std::uint64_t number, std::string& out) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::uint64_t take_number(const std::string& in, std::size_t& at) {
  std::uint64_t number = 0;
  LOCKSTEP_CHECK_LE(at + sizeof number, in.size());
  std::memcpy(&number, in.data() + at, sizeof number);
  at += sizeof number;
  return number;
}

}  // namespace

ImportDictionaries::ImportDictionaries(std::vector<Index> columns)
    : columns_(std::move(columns)), slots_(columns_.size()) {}

std::string ImportDictionaries::fresh(const BlockParser& parser) {
  std::string result;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const std::vector<std::string>& all = parser.dictionary(columns_[i]);
    slot.mine.assign(all.begin() + static_cast<std::ptrdiff_t>(slot.codes.size()), all.end());
    for (const std::string& text : slot.mine) {
      put(i, result);
      put(text.size(), result);
      result += text;
    }
  }
  return result;
}

void ImportDictionaries::take(const std::vector<std::string>& pieces) {
  for (const std::string& piece : pieces)
    for (std::size_t at = 0; at < piece.size();) {
      Slot& slot = slots_.at(take_number(piece, at));
      const std::size_t size = take_number(piece, at);
      std::string text = piece.substr(at, size);
      at += size;
      if (slot.known.emplace(text, static_cast<std::int32_t>(slot.texts.size())).second)
        slot.texts.push_back(std::move(text));
    }
  for (Slot& slot : slots_) {
    for (const std::string& text : slot.mine) slot.codes.push_back(slot.known.at(text));
    slot.mine.clear();
  }
}

void ImportDictionaries::translate(RowBlock& block, Index features) const {
  for (std::size_t slot = 1; slot < slots_.size(); ++slot)
    for (auto at = static_cast<std::size_t>(columns_[slot]); at < block.dense.size();
         at += static_cast<std::size_t>(features))
      if (float& value = block.dense[at]; value >= 0)
        value = static_cast<float>(code(slot, static_cast<std::int32_t>(value)));
}

void ImportDictionaries::describe(Index features, CacheMetadata& metadata) const {
  metadata.label_texts = texts(0);
  if (slots_.size() == 1) return;
  metadata.categories.resize(static_cast<std::size_t>(features));
  for (std::size_t slot = 1; slot < slots_.size(); ++slot)
    metadata.categories[static_cast<std::size_t>(columns_[slot])] = texts(slot);
}

}  // namespace lockstep
