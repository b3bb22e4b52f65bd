#include "tokenizer/detokenizer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/str_cat.h"
#include "decoders/byte_fallback.h"
#include "decoders/byte_level.h"
#include "decoders/space_cleanup.h"

namespace triptych::tokenizer {

using decoders::Decoder;

Detokenizer::Detokenizer(decoders::Sequence decoder) : decoder_(std::move(decoder)) {
  const auto& steps = decoder_.steps();
  for (; folded_ < steps.size(); ++folded_) {
    const Decoder::Kind kind = steps[folded_]->kind();
    if (kind != Decoder::Kind::kPerToken && kind != Decoder::Kind::kPerTokenFirst) break;
    if (kind == Decoder::Kind::kPerTokenFirst) first_differs_ = true;
  }
  tail_begin_ = folded_;
  tail_end_ = steps.size();
  if (folded_ < steps.size()) {
    const Decoder::Kind kind = steps[folded_]->kind();
    if (kind == Decoder::Kind::kByteLevel) mode_ = Mode::kByteLevel;
    if (kind == Decoder::Kind::kByteFallback) mode_ = Mode::kByteFallback;
    if (mode_ != Mode::kText) ++tail_begin_;
  }
  // At the end tokens are joined anyway.
  while (tail_end_ > tail_begin_ && steps[tail_end_ - 1]->kind() == Decoder::Kind::kFuse) {
    --tail_end_;
  }
}

absl::StatusOr<Detokenizer> Detokenizer::Create(const std::vector<Token>& tokens,
                                                decoders::Sequence decoder) {
  Detokenizer detokenizer(std::move(decoder));
  if (absl::Status filled = detokenizer.Fill(tokens); !filled.ok()) return filled;
  return detokenizer;
}

absl::Status Detokenizer::Fill(const std::vector<Token>& tokens) {
  size_t limit = 0;
  for (const Token& token : tokens) limit = std::max<size_t>(limit, size_t{token.id} + 1);
  slots_.resize(limit);
  if (!only_joins()) settled_ = std::make_unique<std::atomic<Settled>[]>(limit);
  if (first_differs_) contents_.resize(limit);
  decoders::Pipeline folded(decoder_, 0, folded_);
  std::string text;
  // No token of the table is the first of a text, so another one goes before them.
  if (absl::Status begun = folded.Append("", /*ends_token=*/true, text); !begun.ok()) return begun;
  for (const Token& token : tokens) {
    text.clear();
    absl::Status made = folded.Append(token.content, /*ends_token=*/true, text);
    if (made.ok()) made = FillSlot(token, std::move(text));
    if (!made.ok()) return made;
  }
  vocab_size_ = static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) {
    return (s.tag & (Slot::kInArena | Slot::kUnknown)) != (Slot::kInArena | Slot::kUnknown);
  }));
  return absl::OkStatus();
}

absl::Status Detokenizer::FillSlot(const Token& token, std::string text) {
  Slot& slot = slots_[token.id];
  uint8_t flags = token.is_special ? Slot::kSpecial : 0;
  if (mode_ == Mode::kByteLevel) {
    text = decoders::ByteLevel::BytesOf(text);
    if (unicode::FindInvalidUtf8(text).has_value()) flags |= Slot::kPartial;
  } else if (mode_ == Mode::kByteFallback) {
    if (const auto byte = decoders::ByteFallback::ByteOf(text)) {
      text.assign(1, static_cast<char>(*byte));
      flags |= Slot::kByte;
    }
  }
  if (first_differs_) {
    absl::StatusOr<ArenaRange> content = Store(token.content);
    if (!content.ok()) return content.status();
    contents_[token.id] = *content;
  }
  if (flags == 0 && text.size() <= Slot::kMaxPlainSize) {
    std::memcpy(slot.bytes.data(), text.data(), text.size());
    slot.tag = static_cast<uint8_t>(text.size());
    return absl::OkStatus();
  }
  absl::StatusOr<ArenaRange> range = Store(text);
  if (!range.ok()) return range.status();
  std::memcpy(slot.bytes.data(), &*range, sizeof(ArenaRange));
  slot.tag = flags | Slot::kInArena;
  return absl::OkStatus();
}

absl::StatusOr<Detokenizer::ArenaRange> Detokenizer::Store(std::string_view text) {
  if (text.size() > UINT32_MAX - arena_.size()) {
    return absl::InvalidArgumentError("decoder: the text of all tokens is larger than 4 GiB");
  }
  const ArenaRange range{static_cast<uint32_t>(arena_.size()), static_cast<uint32_t>(text.size())};
  arena_ += text;
  return range;
}

std::string_view Detokenizer::TextOf(uint32_t id) const {
  const Slot& slot = slots_[id];
  if (slot.tag <= Slot::kMaxPlainSize) return {slot.bytes.data(), slot.tag};
  ArenaRange range;
  std::memcpy(&range, slot.bytes.data(), sizeof(range));
  return std::string_view(arena_).substr(range.begin, range.size);
}

absl::StatusOr<std::string> Detokenizer::FirstTextOf(uint32_t id) const {
  const ArenaRange range = contents_[id];
  decoders::Pipeline folded(decoder_, 0, folded_);
  std::string text;
  absl::Status made =
      folded.Append(std::string_view(arena_).substr(range.begin, range.size), true, text);
  if (!made.ok()) return made;
  if (mode_ == Mode::kByteLevel) return decoders::ByteLevel::BytesOf(text);
  return text;
}

absl::Status Detokenizer::Check(std::span<const uint32_t> ids) const {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < slots_.size() && slots_[ids[i]].tag != (Slot::kInArena | Slot::kUnknown)) continue;
    return absl::InvalidArgumentError(base::StrCat("token_ids[", i, "]: ", ids[i],
                                                   " is not the id of a token; ids are below ",
                                                   slots_.size()));
  }
  return absl::OkStatus();
}

bool Detokenizer::ContinuesCharacter(uint32_t id) const {
  constexpr uint8_t kContinuationMask = 0xC0;
  constexpr uint8_t kContinuation = 0x80;
  if (id >= slots_.size() || slots_[id].tag <= Slot::kMaxPlainSize) return false;
  if ((slots_[id].tag & Slot::kByte) == 0) return false;
  return (static_cast<uint8_t>(TextOf(id)[0]) & kContinuationMask) == kContinuation;
}

bool Detokenizer::IsSettled(uint32_t id) const {
  std::atomic<Settled>& known = settled_[id];
  Settled settled = known.load(std::memory_order_relaxed);
  if (settled == Settled::kUnknown) {
    Stream stream(*this, /*skip_special_tokens=*/false);
    std::string text;
    const bool is_settled = stream.Append({&id, 1}, text).ok() && stream.is_plain() &&
                            !text.empty() && !text.ends_with(unicode::kReplacement);
    settled = is_settled ? Settled::kYes : Settled::kNo;
    known.store(settled, std::memory_order_relaxed);
  }
  return settled == Settled::kYes;
}

absl::StatusOr<std::string> Detokenizer::Decode(std::span<const uint32_t> ids,
                                                const DecodeOptions& options) const {
  if (absl::Status checked = Check(ids); !checked.ok()) return checked;
  constexpr size_t kTypicalTokenSize = 5;
  std::string text;
  text.reserve(ids.size() * kTypicalTokenSize);
  Stream stream(*this, options.skip_special_tokens);
  if (absl::Status appended = stream.Append(ids, text); !appended.ok()) return appended;
  if (absl::Status finished = stream.Finish(text); !finished.ok()) return finished;
  if (!options.clean_up_spaces) return text;
  std::string clean;
  auto cleanup = decoders::SpaceCleanup::OfTransformers();
  cleanup.Append(text, clean);
  cleanup.Flush(clean);
  return clean;
}

size_t Detokenizer::CopyPlain(std::span<const uint32_t> ids, std::string& out) const {
  constexpr size_t kBlockTokens = 256;
  std::array<char, kBlockTokens * sizeof(Slot)> block;
  size_t done = 0;
  for (bool is_plain = true; is_plain && done < ids.size();) {
    const size_t end = std::min(ids.size(), done + kBlockTokens);
    char* at = block.data();
    for (; done < end; ++done) {
      const Slot& slot = slots_[ids[done]];
      is_plain = slot.tag <= Slot::kMaxPlainSize;
      if (!is_plain) break;
      std::memcpy(at, &slot, sizeof(Slot));
      at += slot.tag;
    }
    out.append(block.data(), at);
  }
  return done;
}

Detokenizer::Stream::Stream(const Detokenizer& detokenizer, bool skip_special_tokens)
    : detokenizer_(&detokenizer),
      skip_special_tokens_(skip_special_tokens),
      is_first_(detokenizer.first_differs_) {
  if (detokenizer.tail_begin_ < detokenizer.tail_end_) {
    tail_.emplace(detokenizer.decoder_, detokenizer.tail_begin_, detokenizer.tail_end_);
  }
  FindOutWhetherPlain();
}

void Detokenizer::Stream::FindOutWhetherPlain() {
  is_plain_ = !is_first_ && run_.empty() && repairer_.is_empty() &&
              (!tail_.has_value() || tail_->is_transparent());
}

absl::Status Detokenizer::Stream::Append(std::span<const uint32_t> ids, std::string& out) {
  while (!ids.empty()) {
    if (is_plain_) {
      ids = ids.subspan(detokenizer_->CopyPlain(ids, out));
      if (ids.empty()) break;
    }
    if (absl::Status appended = AppendOne(ids.front(), out); !appended.ok()) return appended;
    ids = ids.subspan(1);
    FindOutWhetherPlain();
  }
  return absl::OkStatus();
}

absl::Status Detokenizer::Stream::AppendOne(uint32_t id, std::string& out) {
  const uint8_t tag = detokenizer_->slots_[id].tag;
  const uint8_t flags = tag <= Slot::kMaxPlainSize ? 0 : tag;
  if (skip_special_tokens_ && (flags & Slot::kSpecial) != 0) return absl::OkStatus();
  std::string_view text = detokenizer_->TextOf(id);
  std::string first;
  std::optional<uint8_t> byte;
  if ((flags & Slot::kByte) != 0) byte = static_cast<uint8_t>(text[0]);
  if (is_first_) {
    absl::StatusOr<std::string> made = detokenizer_->FirstTextOf(id);
    if (!made.ok()) return made.status();
    first = *std::move(made);
    text = first;
    is_first_ = false;
    if (detokenizer_->mode_ == Mode::kByteFallback) byte = decoders::ByteFallback::ByteOf(text);
  }
  switch (detokenizer_->mode_) {
    case Mode::kByteLevel: {
      if (!tail_.has_value()) {
        repairer_.Append(text, out);
        return absl::OkStatus();
      }
      std::string mended;
      repairer_.Append(text, mended);
      return Emit(mended, /*ends_token=*/false, out);
    }
    case Mode::kByteFallback:
      if (byte.has_value()) {
        run_.push_back(static_cast<char>(*byte));
        return absl::OkStatus();
      }
      if (absl::Status ended = EndRun(out); !ended.ok()) return ended;
      break;
    case Mode::kText:
      break;
  }
  return Emit(text, /*ends_token=*/true, out);
}

absl::Status Detokenizer::Stream::EndRun(std::string& out) {
  absl::Status ended = decoders::ByteFallback::ForEachTokenOf(
      run_, [&](std::string_view token) { return Emit(token, /*ends_token=*/true, out); });
  run_.clear();
  return ended;
}

absl::Status Detokenizer::Stream::Emit(std::string_view text, bool ends_token, std::string& out) {
  if (tail_.has_value()) return tail_->Append(text, ends_token, out);
  out += text;
  return absl::OkStatus();
}

absl::Status Detokenizer::Stream::Finish(std::string& out) {
  if (absl::Status ended = EndRun(out); !ended.ok()) return ended;
  if (detokenizer_->mode_ == Mode::kByteLevel) {
    std::string rest;
    repairer_.Flush(rest);
    if (absl::Status ended = Emit(rest, /*ends_token=*/true, out); !ended.ok()) return ended;
  }
  return tail_.has_value() ? tail_->Finish(out) : absl::OkStatus();
}

}  // namespace triptych::tokenizer
