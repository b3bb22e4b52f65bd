// Bpe::AppendIds: the words of a text, looked up in the table of words, and those that are new
// merged.
//
// Nearly all words are known, so there is a loop for those with nothing else in it. But where one
// is new, others are near, and the table is mostly not in the cache yet. So then the next words are
// looked up together: where each is found is computed first, all of that is read at once, and no
// branch asks whether a word is known. New ones wait until there are enough to merge together
// (batch_merger.h), and until then have no place among the ids.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "models/batch_merger.h"
#include "models/bpe.h"
#include "models/symbol_merger.h"
#include "models/word_table.h"

namespace triptych::models {
namespace {

using Short = WordTable::Short;
using Medium = WordTable::Medium;

// As many as are worth looking up together.
constexpr size_t kWordsAhead = 64;

// Copies ids, so many at a time, which is faster than to copy just `count`; returns the end of
// those. REQUIRES: up to kIdsAtOnce more may be read and written.
constexpr size_t kIdsAtOnce = 8;
uint32_t* CopyIds(const uint32_t* from, size_t count, uint32_t* to) {
  size_t done = 0;
  do {
    std::memcpy(to + done, from + done, kIdsAtOnce * sizeof *to);
    done += kIdsAtOnce;
  } while (done < count);
  return to + count;
}

}  // namespace

class Bpe::Words {
 public:
  Words(const Bpe& bpe, WordTable& table, std::string_view text, size_t begin,
        std::span<const uint32_t> ends, std::vector<uint32_t>& ids)
      : bpe_(bpe),
        table_(table),
        text_(text),
        ends_(ends),
        ids_(ids),
        begin_(begin),
        used_(ids.size()) {}

  absl::Status Append() {
    MakeRoom();
    while (true) {
      const size_t count = AppendKnown();
      if (next_ == ends_.size()) break;
      absl::Status appended = count == 0 ? AppendTogether() : AppendOne(count);
      if (!appended.ok()) return appended;
      if (new_count_ >= kWordsTogether) MergeNew();
    }
    if (new_count_ > 0) MergeNew();
    ids_.resize(used_);
    return absl::OkStatus();
  }

 private:
  // Of new words: fewer than kWordsTogether wait when AppendSome adds its own.
  static constexpr size_t kMaxNew = kWordsTogether + kWordsAhead;
  // The size of a new word that has no symbols yet.
  static constexpr size_t kNoSymbols = SIZE_MAX;

  using Queries = std::array<WordTable::ShortQuery, kWordsAhead>;

  [[nodiscard]] std::string_view Next() const {
    return {text_.data() + begin_, ends_[next_] - begin_};
  }

  void MoveOn(size_t ids) {
    used_ += ids;
    begin_ = ends_[next_++];
  }

  // A lookup writes as many ids as may be, of which the next overwrites what is not the word's. So
  // there is always room for few ids for each word to come, and for what one lookup may write.
  void MakeRoom(size_t more = 0) {
    const size_t few = (ends_.size() - next_) * Short::kFewIds;
    const size_t size = used_ + more + few + WordTable::kMaxIds;
    if (ids_.size() < size) ids_.resize(size);
  }

  // Appends words up to the first that is not short, known, and of few ids; returns what the table
  // says of that.
  size_t AppendKnown() {
    size_t count = Short::kElsewhere, next = next_, begin = begin_;
    uint32_t* out = ids_.data() + used_;
    for (; next < ends_.size(); ++next, count = Short::kElsewhere) {
      const std::string_view word(text_.data() + begin, ends_[next] - begin);
      if (word.size() > Short::kMaxBytes) break;
      count = table_.FindShort(word, text_.size() - begin, out);
      if (count - 1 >= Short::kFewIds) break;
      out += count;
      begin = ends_[next];
    }
    used_ = static_cast<size_t>(out - ids_.data());
    begin_ = begin;
    next_ = next;
    return count;
  }

  // Appends the next word, of which FindShort returned `count`, which is not 0.
  absl::Status AppendOne(size_t count) {
    const std::string_view word = Next();
    if (count == Short::kElsewhere) {
      const bool is_medium = word.size() <= Medium::kMaxBytes;
      const size_t readable = text_.size() - begin_;
      count = is_medium ? table_.FindMedium(word, readable, ids_.data() + used_) : 0;
      if (count == 0) return AppendLong();
    }
    MoveOn(count);
    MakeRoom();
    return absl::OkStatus();
  }

  // Appends the next word, which is in no slot.
  absl::Status AppendLong() {
    const std::string_view word = Next();
    const WordTable::Ids known = table_.FindLong(word);
    if (known.begin != nullptr) {
      MakeRoom(known.count);
      std::copy_n(known.begin, known.count, ids_.data() + used_);
      MoveOn(known.count);
      return absl::OkStatus();
    }
    const bool is_no_token = (word.size() > Short::kMaxBytes && !bpe_.long_tokens_.MayHold(word)) ||
                             !bpe_.WholeToken(word).has_value();
    if (is_no_token && bpe_.FindSymbols(word, new_words_[new_count_])) {
      NoteNew(word.size());
      ++new_count_;
      MoveOn(0);
      return absl::OkStatus();
    }
    Symbols symbols;
    absl::Status merged = Merge(word, is_no_token, symbols);
    if (!merged.ok()) return merged;
    MakeRoom(symbols.size());
    for (size_t i = 0; i < symbols.size(); ++i) ids_[used_ + i] = symbols[i].id;
    table_.Insert(word, text_.size() - begin_, &ids_[used_], symbols.size());
    MoveOn(symbols.size());
    return absl::OkStatus();
  }

  // Appends the next kWordsAhead words, and then again as long as some of them are new.
  absl::Status AppendTogether() {
    bool has_new = true;
    while (has_new && next_ < ends_.size()) {
      const size_t before = new_count_;
      absl::Status appended = AppendSome(std::min(next_ + kWordsAhead, ends_.size()));
      if (!appended.ok()) return appended;
      has_new = new_count_ > before;
      if (new_count_ >= kWordsTogether) MergeNew();
    }
    return absl::OkStatus();
  }

  // Appends the words up to the one with the number `until`.
  absl::Status AppendSome(size_t until) {
    Queries queries;
    ReadAhead(until, queries);
    const size_t first_new = new_count_;
    for (const WordTable::ShortQuery* query = queries.data(); next_ < until; ++query) {
      const size_t size = Next().size();
      const size_t count = size <= Short::kMaxBytes ? table_.FindShort(*query, &ids_[used_])
                                                    : size_t{Short::kElsewhere};
      if (count > Short::kFewIds) {
        absl::Status appended = AppendOne(count);
        if (!appended.ok()) return appended;
        continue;
      }
      // Where the word is known, the next one overwrites this.
      NoteNew(size);
      new_words_[new_count_].size = kNoSymbols;
      new_count_ += static_cast<size_t>(count == 0);
      MoveOn(count);
    }
    for (size_t i = first_new; i < new_count_; ++i) {
      if (new_words_[i].size != kNoSymbols) continue;
      absl::Status found = FindSymbols(NewWord(i), new_words_[i]);
      if (!found.ok()) return found;
    }
    return absl::OkStatus();
  }

  // Reads where the words up to the one with the number `until` are looked up. It really reads: a
  // processor may drop an instruction to prefetch, and measurably does where it gets many, and then
  // the word waits after all.
  void ReadAhead(size_t until, Queries& queries) const {
    std::array<WordTable::Place, kWordsAhead * WordTable::kMaxPlaces> places;
    size_t count = 0, begin = begin_;
    for (size_t i = next_; i < until; begin = ends_[i++]) {
      const std::string_view word(text_.data() + begin, ends_[i] - begin);
      const size_t readable = text_.size() - begin;
      if (word.size() > Short::kMaxBytes) {
        count += table_.MediumPlacesOf(word, readable, &places[count]);
        continue;
      }
      queries[i - next_] = table_.QueryOf(word, readable);
      count += table_.PlacesOf(queries[i - next_], &places[count]);
    }
    for (const WordTable::Place place : std::span(places).first(count)) {
      static_cast<void>(place->load(std::memory_order_relaxed));
    }
  }

  // What is to merge of a short word that is not in the table; where it cannot be told so, what is
  // merged already, which merging does not change.
  absl::Status FindSymbols(std::string_view word, ShortWord& out) const {
    // Where all tokens were seeded, the word would have been.
    const bool is_no_token = table_.has_all_seeds() || !bpe_.WholeToken(word).has_value();
    if (is_no_token && bpe_.FindSymbols(word, out)) return absl::OkStatus();
    Symbols symbols;
    absl::Status merged = Merge(word, is_no_token, symbols);
    if (!merged.ok()) return merged;
    out.size = symbols.size();
    for (size_t i = 0; i < symbols.size(); ++i) out.ids[i] = symbols[i].id;
    return absl::OkStatus();
  }

  absl::Status Merge(std::string_view word, bool is_no_token, Symbols& symbols) const {
    absl::Status made = bpe_.AppendWord(word, is_no_token, symbols);
    if (made.ok()) MergeSymbols(bpe_.merges_, bpe_.memory_, symbols);
    return made;
  }

  // Notes the next word, which has `size` bytes, as the new one with the number new_count_.
  void NoteNew(size_t size) {
    new_begins_[new_count_] = begin_;
    new_sizes_[new_count_] = size;
    new_places_[new_count_] = used_;
  }

  [[nodiscard]] std::string_view NewWord(size_t number) const {
    return {text_.data() + new_begins_[number], new_sizes_[number]};
  }

  // Merges the new words, puts their ids where they belong, and lets the table learn them.
  void MergeNew() {
    const std::span<ShortWord> words(new_words_.data(), new_count_);
    MergeWords(bpe_.merges_, bpe_.memory_, words);
    const size_t first = new_places_[0];
    size_t size = 0;
    for (const ShortWord& word : words) size += word.size;
    moved_.resize(used_ - first + size + kIdsAtOnce);
    uint32_t* to = moved_.data();
    for (size_t i = 0; i < words.size(); ++i) {
      to = CopyIds(words[i].ids.data(), words[i].size, to);
      const size_t begin = new_places_[i];
      const size_t end = i + 1 < words.size() ? new_places_[i + 1] : used_;
      to = CopyIds(&ids_[begin], end - begin, to);
      const size_t readable = text_.size() - new_begins_[i];
      table_.Insert(NewWord(i), readable, words[i].ids.data(), words[i].size);
    }
    MakeRoom(size);
    std::copy(moved_.data(), to, &ids_[first]);
    used_ += size;
    new_count_ = 0;
  }

  const Bpe& bpe_;
  WordTable& table_;
  const std::string_view text_;
  const std::span<const uint32_t> ends_;
  std::vector<uint32_t>& ids_;
  size_t begin_, next_ = 0, used_;  // of the next word and its number, and of the ids

  // Of each new word: where it begins, its bytes, where its ids belong, and the word.
  size_t new_count_ = 0;
  std::array<size_t, kMaxNew> new_begins_, new_sizes_, new_places_;
  std::array<ShortWord, kMaxNew> new_words_;
  std::vector<uint32_t> moved_;  // ids from the first new word on
};

absl::Status Bpe::AppendIds(std::string_view text, size_t begin, std::span<const uint32_t> ends,
                            std::vector<uint32_t>& ids) const {
  const std::shared_ptr<WordTable> table = words();
  return Words(*this, *table, text, begin, ends, ids).Append();
}

}  // namespace triptych::models
