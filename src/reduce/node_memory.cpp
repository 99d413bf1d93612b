// SPDX-License-Identifier: Apache-2.0
#include "reduce/node_memory.h"

#include "comm/flags.h"
#include "core/aligned.h"

namespace lockstep {

namespace {

constexpr std::size_t kPage = 4096;

}  // namespace

std::size_t NodeMemory::take(std::size_t bytes) {
  const std::size_t begin = end_;
  end_ += (bytes + kPage - 1) / kPage * kPage;
  return begin;
}

NodeMemory::NodeMemory(const NodeNeeds& needs)
    : block_count_(needs.blocks), vector_bytes_(static_cast<std::size_t>(needs.floats) * sizeof(float)) {
  const std::size_t ranks = needs.subtrees.size();
  take(Flags::bytes_needed(static_cast<int>(ranks)));
  for (const int subtrees : needs.subtrees)
    tails_.push_back(take((1 + static_cast<std::size_t>(subtrees)) * sizeof(Tail)));
  blocks_ = take(2 * block_count_ * sizeof(double));
  weights_ = take(vector_bytes_);
  staging_ = take(ranks > 1 ? vector_bytes_ : 0);
  for (const int buffers : needs.buffers)
    sums_.push_back(take(static_cast<std::size_t>(buffers) * vector_bytes_));
}

std::vector<ByteRange> NodeMemory::ranges_of(int rank, const NodeNeeds& needs) const {
  const auto index = static_cast<std::size_t>(rank);
  std::vector<ByteRange> ranges;
  ranges.push_back({tails_[index], tails_[index] + kPage});
  ranges.push_back(
      {sums_[index], sums_[index] + static_cast<std::size_t>(needs.buffers[index]) * vector_bytes_});
  for (const std::size_t vector : {weights_, staging_})
    for (const Slice& own : needs.own_weights)
      ranges.push_back({vector + static_cast<std::size_t>(own.begin) * sizeof(float),
                        vector + static_cast<std::size_t>(own.end) * sizeof(float)});
  return ranges;
}

void NodeMemory::place_buffers(const NodeNeeds& needs) {
  for (std::size_t rank = 0; rank < sums_.size(); ++rank) {
    buffers_.emplace_back();
    for (int i = 0; i < needs.buffers[rank]; ++i)
      buffers_.back().push_back(at<float>(sums_[rank]) + static_cast<Index>(i) * needs.floats);
  }
}

std::unique_ptr<NodeMemory> NodeMemory::create(Communicator& node, const NodeNeeds& needs,
                                               std::string& why_not) {
  std::unique_ptr<NodeMemory> made(new NodeMemory(needs));
  if (node.size() == 1) {
    const auto bytes = std::make_shared<AlignedVector<std::byte>>(made->end_);
    made->memory_ = std::shared_ptr<std::byte>(bytes, bytes->data());
  } else {
    made->memory_ = node.share_memory(node, made->end_, made->ranges_of(node.rank(), needs), why_not);
  }
  if (!made->memory_) return nullptr;
  made->place_buffers(needs);
  return made;
}

}  // namespace lockstep
