#include "models/blank_splitter.h"

#include <algorithm>
#include <bit>

namespace triptych::models {
namespace {

enum Set { kBlank, kNewline, kJoinsBlank, kSets };  // the numbers of the sets in ByteClasses

}  // namespace

BlankSplitter::BlankSplitter() : classes_(kSets) {
  classes_.Add(' ', kBlank);
  classes_.Add('\n', kNewline);
}

void BlankSplitter::AddToken(std::string_view token) {
  if (token.size() > 1 && token.find('\n') != std::string_view::npos) cuts_at_newlines_ = false;
  for (size_t at = token.find(kBlankMark, 1); at != std::string_view::npos;
       at = token.find(kBlankMark, at + 1)) {
    const auto before = static_cast<uint8_t>(token[at - 1]);
    if (token.substr(0, at).ends_with(kBlankMark)) continue;  // a run
    if (before < 128) {
      classes_.Add(before, kJoinsBlank);
    } else {
      cuts_behind_non_ascii_ = false;
    }
  }
}

size_t BlankSplitter::Split(std::string_view text, size_t begin, uint32_t* ends,
                            size_t capacity) const {
  size_t count = 0, word = begin;
  // One byte before the block is needed, so a block begins with the last byte of the one before.
  for (size_t at = begin; at < text.size() && count + kMinCapacity <= capacity;) {
    const size_t size = std::min(text.size() - at, unicode::kBlockBytes);
    const unicode::BlockMasks masks = classes_.Classify(text.data() + at, size);
    const uint64_t blank = masks.of_class[kBlank];
    uint64_t joins = blank | masks.of_class[kJoinsBlank];
    if (!cuts_behind_non_ascii_) joins |= masks.non_ascii;
    uint64_t cuts = blank & ~(joins << 1) & ~uint64_t{1};
    if (cuts_behind_non_ascii_ && (cuts & (masks.non_ascii << 1)) != 0) {
      // A "▁" that the text itself holds is a blank to the model.
      for (uint64_t left = cuts & (masks.non_ascii << 1); left != 0; left &= left - 1) {
        const auto cut = static_cast<size_t>(std::countr_zero(left));
        if (text.substr(0, at + cut).ends_with(kBlankMark)) cuts ^= left & -left;
      }
    }
    if (cuts_at_newlines_) {
      const uint64_t newline = masks.of_class[kNewline];
      cuts |= (newline | newline << 1) & ~uint64_t{1};
    }
    if (size < unicode::kBlockBytes) cuts &= (uint64_t{1} << size) - 1;
    for (; cuts != 0; cuts &= cuts - 1) {
      word = at + static_cast<size_t>(std::countr_zero(cuts));
      ends[count++] = static_cast<uint32_t>(word);
    }
    at += size == unicode::kBlockBytes ? size - 1 : size;
    if (at >= text.size() && word < text.size()) ends[count++] = static_cast<uint32_t>(text.size());
  }
  return count;
}

size_t BlankSplitter::EndOfMarkedWord(std::string_view text, size_t begin) const {
  if (cuts_at_newlines_ && text[begin] == '\n') return begin + 1;
  // Behind the blanks that the word begins with, whatever is cut there begins the next one.
  size_t at = begin;
  while (text.substr(at).starts_with(kBlankMark)) at += kBlankMark.size();
  while (true) {
    at = text.find(kBlankMark, at);
    if (at == std::string_view::npos) at = text.size();
    if (cuts_at_newlines_) at = std::min(at, text.find('\n', begin));
    if (at == text.size() || text[at] == '\n') return at;
    const auto before = static_cast<uint8_t>(text[at - 1]);
    const bool joins = before < 128 ? (classes_.by_byte()[before] >> kJoinsBlank & 1) != 0
                                    : !cuts_behind_non_ascii_;
    if (!joins) return at;
    at += kBlankMark.size();
    while (text.substr(at).starts_with(kBlankMark)) at += kBlankMark.size();
  }
}

}  // namespace triptych::models
