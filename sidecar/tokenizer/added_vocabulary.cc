// The matching below is that of `tokenizers` (added_vocabulary.rs, find_matches), oddities
// included: a token that fails its single_word test still hides what overlaps it, a token may begin
// inside the white space that the one before swallowed, and a token of which thereby nothing is
// left is dropped.
#include "tokenizer/added_vocabulary.h"

#include <algorithm>
#include <bit>

#include "absl/status/status.h"
#include "base/aligned_text.h"
#include "base/str_cat.h"
#include "base/string_map.h"
#include "unicode/char_set.h"
#include "unicode/unicode_tables.h"
#include "unicode/utf8.h"

namespace triptych::tokenizer {
namespace {

using base::ByteRange;

const unicode::CharSet& WordCharacters() {
  static const unicode::CharSet set =
      unicode::CharSet::FromTable(unicode::kAddedTokenWord, unicode::kAddedTokenWordSize);
  return set;
}

const unicode::CharSet& Spaces() {
  static const unicode::CharSet set =
      unicode::CharSet::FromTable(unicode::kAddedTokenSpace, unicode::kAddedTokenSpaceSize);
  return set;
}

bool IsAloneAsWord(std::string_view text, ByteRange range) {
  const auto is_word_at = [&](size_t at) {
    return WordCharacters().Contains(unicode::DecodeAt(text, at).value);
  };
  const bool word_before =
      range.begin > 0 && is_word_at(unicode::PreviousBoundary(text, range.begin));
  const bool word_behind = range.end < text.size() && is_word_at(range.end);
  return !word_before && !word_behind;
}

uint32_t BeginOfSpacesBefore(std::string_view text, uint32_t at) {
  while (at > 0) {
    const size_t before = unicode::PreviousBoundary(text, at);
    if (!Spaces().Contains(unicode::DecodeAt(text, before).value)) break;
    at = static_cast<uint32_t>(before);
  }
  return at;
}

uint32_t EndOfSpacesBehind(std::string_view text, uint32_t at) {
  while (at < text.size()) {
    const auto [code_point, size] = unicode::DecodeAt(text, at);
    if (!Spaces().Contains(code_point)) break;
    at += static_cast<uint32_t>(size);
  }
  return at;
}

}  // namespace

absl::StatusOr<AddedVocabulary> AddedVocabulary::Create(std::vector<AddedToken> tokens,
                                                        const models::Vocabulary& vocabulary,
                                                        const normalizers::Normalizer* normalizer) {
  AddedVocabulary added;
  base::StringMap<uint32_t> id_of;
  uint64_t next_id = vocabulary.size();
  for (size_t i = 0; i < tokens.size(); ++i) {
    const AddedToken& token = tokens[i];
    const auto error = [&](auto... what) {
      return absl::InvalidArgumentError(base::StrCat("added_tokens[", i, "]: ", what...));
    };
    if (token.content.empty()) return error("the content is empty");
    if (id_of.contains(token.content)) return error("\"", token.content, "\" is listed twice");
    // `tokenizers` does not read the id: it takes the model's, or else the next free one.
    const uint64_t expected = vocabulary.IdOf(token.content).value_or(next_id);
    if (token.id != expected) {
      return error("\"", token.content, "\" has the id ", token.id,
                   ", but tokenizers would give it ", expected);
    }
    id_of[token.content] = token.id;
    if (!added.index_of_.emplace(token.id, i).second)
      return error("the id ", token.id, " is taken");
    next_id = std::max<uint64_t>(next_id, uint64_t{token.id} + 1);
    std::string pattern = token.content;
    if (token.normalized && normalizer != nullptr) {
      base::AlignedText text(token.content, 0);
      if (absl::Status done = normalizer->Normalize(text); !done.ok()) {
        return error(base::MessageOf(done));
      }
      pattern = text.text();
    }
    (token.normalized ? added.normalized_ : added.not_normalized_).Add(pattern, token.id);
  }
  added.tokens_ = std::move(tokens);
  return added;
}

void AddedVocabulary::Finder::Add(std::string_view pattern, uint32_t id) {
  if (pattern.empty()) return;
  if (nodes.empty()) nodes.emplace_back();
  uint32_t at = 0;
  for (const char c : pattern) {
    const auto byte = static_cast<uint8_t>(c);
    const auto& children = nodes[at].children;
    const auto child = std::find_if(children.begin(), children.end(),
                                    [byte](const auto& entry) { return entry.first == byte; });
    if (child != children.end()) {
      at = child->second;
      continue;
    }
    const auto fresh = static_cast<uint32_t>(nodes.size());
    nodes[at].children.emplace_back(byte, fresh);
    nodes.emplace_back();
    if (at == 0) {
      first_nodes[byte] = fresh;
      distinct_first_bytes.push_back(static_cast<char>(byte));
      if (byte < 128) {
        first_bytes.Add(byte, 0);
      } else {
        has_non_ascii_first = true;
      }
    }
    at = fresh;
  }
  // Of two tokens with one normal form the first wins, as in Aho-Corasick.
  if (!nodes[at].id.has_value()) nodes[at].id = id;
}

size_t AddedVocabulary::Finder::NextCandidate(std::string_view text, size_t at) const {
  if (distinct_first_bytes.size() == 1) {
    return std::min(text.find(distinct_first_bytes[0], at), text.size());
  }
  for (; at < text.size(); at += unicode::kBlockBytes) {
    const size_t size = std::min(text.size() - at, unicode::kBlockBytes);
    const unicode::BlockMasks masks = first_bytes.Classify(text.data() + at, size);
    const uint64_t found = masks.of_class[0] | (has_non_ascii_first ? masks.non_ascii : 0);
    if (found != 0) return at + static_cast<size_t>(std::countr_zero(found));
  }
  return text.size();
}

std::optional<AddedVocabulary::Match> AddedVocabulary::LongestAt(const Finder& finder,
                                                                 std::string_view text,
                                                                 uint32_t begin, uint32_t end) {
  std::optional<Match> longest;
  uint32_t node = finder.first_nodes[static_cast<uint8_t>(text[begin])];
  for (uint32_t at = begin + 1; node != 0; ++at) {
    if (finder.nodes[node].id.has_value()) longest = Match{*finder.nodes[node].id, {begin, at}};
    if (at == end) break;
    const auto& children = finder.nodes[node].children;
    const auto byte = static_cast<uint8_t>(text[at]);
    const auto child = std::find_if(children.begin(), children.end(),
                                    [byte](const auto& entry) { return entry.first == byte; });
    node = child == children.end() ? 0 : child->second;
  }
  return longest;
}

Sections AddedVocabulary::Cut(std::string_view text, bool normalized,
                              const std::vector<ByteRange>& literal) const {
  Sections sections;
  const auto size = static_cast<uint32_t>(text.size());
  uint32_t done = 0;
  auto next_literal = literal.begin();
  const Finder& find_in = finder(normalized);
  if (find_in.nodes.empty()) {
    if (size > 0) sections.push_back({std::nullopt, {0, size}});
    return sections;
  }
  for (uint32_t at = 0; (at = static_cast<uint32_t>(find_in.NextCandidate(text, at))) < size;) {
    while (next_literal != literal.end() && (next_literal->end <= at || next_literal->empty())) {
      ++next_literal;
    }
    if (next_literal != literal.end() && next_literal->begin <= at) {
      at = next_literal->end;
      continue;
    }
    const uint32_t trusted_end = next_literal == literal.end() ? size : next_literal->begin;
    const std::optional<Match> match = LongestAt(find_in, text, at, trusted_end);
    if (!match.has_value()) {
      ++at;
      continue;
    }
    at = match->range.end;
    const AddedToken& token = *Find(match->id);
    if (token.single_word && !IsAloneAsWord(text, match->range)) continue;
    ByteRange range = match->range;
    if (token.lstrip) range.begin = std::max(BeginOfSpacesBefore(text, range.begin), done);
    if (token.rstrip) range.end = EndOfSpacesBehind(text, range.end);
    if (done < range.begin) sections.push_back({std::nullopt, {done, range.begin}});
    if (!range.empty()) sections.push_back({match->id, range});
    done = range.end;
  }
  if (done < size) sections.push_back({std::nullopt, {done, size}});
  return sections;
}

const AddedToken* AddedVocabulary::Find(uint32_t id) const {
  const auto found = index_of_.find(id);
  return found == index_of_.end() ? nullptr : &tokens_[found->second];
}

}  // namespace triptych::tokenizer
