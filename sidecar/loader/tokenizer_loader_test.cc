#include "loader/tokenizer_loader.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "loader/edited_json.h"
#include "tokenizer/decode_stream.h"

namespace triptych::loader {
namespace {

std::string ValidDocument() {
  return R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 5, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false,
                      "normalized": false, "special": true}],
    "normalizer": {"type": "NFC"},
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<end>", "type_id": 0}}],
      "pair": [], "special_tokens": {"<end>": {"id": "<end>", "ids": [5], "tokens": ["<end>"]}}},
    "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
              "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
              "vocab": {"a": 0, "b": 1, "ab": 2, "Ã": 3, "©": 4}, "merges": ["a b"]}
  })";
}

std::string ErrorOf(const std::string& document) {
  const auto tokenizer = ParseTokenizer(document);
  return tokenizer.ok() ? "ok" : std::string(base::MessageOf(tokenizer.status()));
}

TEST(TokenizerLoader, ReadsAWholeFile) {
  const auto tokenizer = ParseTokenizer(ValidDocument());
  ASSERT_TRUE(tokenizer.ok()) << base::MessageOf(tokenizer.status());
  const auto encoding = tokenizer->Encode({.text = "ab<end>é", .add_special_tokens = true});
  ASSERT_TRUE(encoding.ok());
  EXPECT_EQ(encoding->ids, (std::vector<uint32_t>{2, 5, 3, 4, 5}));
  EXPECT_EQ(tokenizer->Decode(encoding->ids, {.skip_special_tokens = true}).value(), "abé");
  EXPECT_EQ(tokenizer->Decode(encoding->ids, {}).value(), "ab<end>é<end>");
  EXPECT_EQ(tokenizer->vocab_size(), 6u);
}

TEST(TokenizerLoader, StreamsHoldBackHalfCharacters) {
  const auto tokenizer = ParseTokenizer(ValidDocument());
  auto stream = tokenizer::DecodeStream::Create(*tokenizer, {.skip_special_tokens = true}).value();
  const auto append = [&stream](std::vector<uint32_t> ids) { return stream.Append(ids); };
  EXPECT_EQ(append({2, 3})->text, "ab");
  EXPECT_EQ(append({4})->text, "é");
  EXPECT_EQ(append({5, 3})->text, "");
  EXPECT_EQ(stream.Flush().text, "");
}

// Each change to the valid document, by JSON pointer, and the error that it must give.
TEST(TokenizerLoader, EveryErrorNamesItsPath) {
  struct Case {
    std::string pointer;
    std::string value;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"/version", "\"2.0\"", "version: \"2.0\" is not supported yet; supported: 1.0"},
      {"/truncation", "{}",
       "truncation.max_length: expected an integer that is not negative, found nothing"},
      {"/truncation", R"({"max_length": 1, "strategy": "Any", "stride": 0})",
       "truncation.strategy: \"Any\" is not supported yet; supported: LongestFirst, OnlyFirst, "
       "OnlySecond"},
      {"/padding", R"({"strategy": {"Fixed": -1}})",
       "padding.strategy.Fixed: expected an integer that is not negative, found -1"},
      {"/surprise", "1", "surprise: this option is not known"},
      {"/normalizer", R"({"type": "Uppercase"})",
       "normalizer.type: \"Uppercase\" is not supported yet; supported: BertNormalizer, ByteLevel, "
       "Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, Strip, "
       "StripAccents"},
      {"/normalizer",
       R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Strip"}]})",
       "normalizer.normalizers[1].strip_left: expected true or false, found nothing"},
      {"/normalizer", "[]", "normalizer.type: expected a string, found nothing"},
      {"/pre_tokenizer/type", "\"Delimiter\"",
       "pre_tokenizer.type: \"Delimiter\" is not supported yet; supported: BertPreTokenizer, "
       "ByteLevel, "
       "CharDelimiterSplit, Digits, FixedLength, Metaspace, Punctuation, Sequence, Split, "
       "UnicodeScripts, Whitespace, WhitespaceSplit"},
      {"/pre_tokenizer", R"({"type": "Metaspace", "replacement": "▁", "add_prefix_space": false})",
       "pre_tokenizer.add_prefix_space: false needs a prepend_scheme of \"never\""},
      {"/pre_tokenizer", R"({"type": "CharDelimiterSplit", "delimiter": "ab"})",
       "pre_tokenizer.delimiter: expected a string of one character"},
      {"/pre_tokenizer/use_regex", "3", "pre_tokenizer.use_regex: expected true or false, found 3"},
      {"/pre_tokenizer",
       R"({"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": false}]})",
       "pre_tokenizer.pretokenizers[0].pattern.Regex: regular expression, offset 1: missing ), in: "
       "("},
      {"/pre_tokenizer",
       R"({"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Odd", "invert": false})",
       "pre_tokenizer.behavior: \"Odd\" is not supported yet; supported: Removed, Isolated, "
       "MergedWithPrevious, "
       "MergedWithNext, Contiguous"},
      {"/post_processor/type", "\"Surprise\"",
       "post_processor.type: \"Surprise\" is not supported yet; supported: BertProcessing, "
       "ByteLevel, RobertaProcessing, Sequence, TemplateProcessing"},
      {"/post_processor/type", "\"BertProcessing\"",
       "post_processor.single: this option is not known"},
      {"/post_processor/single/0/Sequence/id", "\"B\"",
       "post_processor.single[0].Sequence.id: the template for one text asks for a second; "
       "expected "
       "\"A\""},
      {"/post_processor/special_tokens", "{}",
       "post_processor.single[1].SpecialToken.id: \"<end>\" is not among "
       "post_processor.special_tokens"},
      {"/decoder/type", "\"Surprise\"",
       "decoder.type: \"Surprise\" is not supported yet; supported: BPEDecoder, ByteFallback, "
       "ByteLevel, CTC, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece"},
      {"/decoder/type", "\"WordPiece\"", "decoder.add_prefix_space: this option is not known"},
      {"/decoder", R"({"type": "Strip", "content": "ab", "start": 0, "stop": 0})",
       "decoder.content: expected one character, found \"ab\""},
      {"/decoder", R"({"type": "Metaspace", "replacement": "_", "add_prefix_space": false})",
       "decoder.add_prefix_space: false contradicts the prepend_scheme \"always\"; expected "
       "\"never\""},
      {"/model/type", "\"Unigram\"", "model.dropout: this option is not known"},
      {"/model/dropout", "0.1", "model.dropout: 0.1 is not supported yet; supported: null, 0"},
      {"/model/byte_fallback", "1", "model.byte_fallback: expected true or false, found 1"},
      {"/model/end_of_word_suffix", "1", "model.end_of_word_suffix: expected a string, found 1"},
      {"/model/continuing_subword_prefix", "\"##\"",
       "model.merges[0]: \"b\" is shorter than continuing_subword_prefix"},
      {"/model/vocab", "[]", "model.vocab: expected an object, found array of 0"},
      {"/model/vocab/a", "-1", "model.vocab.a: expected an id, found -1"},
      {"/model/vocab/a", "1", "model.vocab: \"a\" and \"b\" have the same id, 1"},
      {"/model/vocab/a", "20000000",
       "model.vocab: the id of \"a\" is 20000000, above the highest allowed, 4194302"},
      {"/model/merges/0", "\"a b c\"",
       "model.merges[0]: \"a b c\" is not two tokens with a space between"},
      {"/model/merges/0", "[\"a\"]", "model.merges[0]: has 1 tokens instead of 2"},
      {"/model/merges/0", "[\"a\", 3]", "model.merges[0][1]: expected a string, found 3"},
      {"/model/merges/0", "[\"b\", \"a\"]",
       "model.merges[0]: \"ba\" is not a token of the vocabulary"},
      {"/model/merges", R"(["a b", ["a", "b"]])",
       "model.merges[1]: strings and pairs are mixed; write all merges in the same way"},
      {"/model/merges", "3", "model.merges: expected a list, found 3"},
      {"/added_tokens/0/id", "7",
       "added_tokens[0]: \"<end>\" has the id 7, but tokenizers would give it 5"},
      {"/added_tokens/0/id", "4000000000", "added_tokens[0].id: the id is too high"},
      {"/added_tokens/0/content", "\"\"", "added_tokens[0]: the content is empty"},
      {"/added_tokens/0/special", "\"yes\"",
       "added_tokens[0].special: expected true or false, found \"yes\""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ErrorOf(Edited(ValidDocument(), c.pointer, c.value)), c.message) << c.pointer;
  }
}

TEST(TokenizerLoader, NoPrefixOfAFileCrashes) {
  const std::string whole = ValidDocument();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseTokenizer(whole.substr(0, size)).ok());
  }
}

TEST(TokenizerLoader, NoChangedByteCrashes) {
  const std::string whole = ValidDocument();
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char c : {'\0', '"', '{', ']', '9', '\xFF'}) {
      std::string changed = whole;
      changed[i] = c;
      const auto tokenizer = ParseTokenizer(changed);
      if (tokenizer.ok()) {
        EXPECT_TRUE(tokenizer->Encode({.text = "ab<end> é"}).ok());
      }
    }
  }
}

TEST(TokenizerLoader, DeepNestingIsAnError) {
  EXPECT_FALSE(ParseTokenizer(std::string(1'000'000, '[')).ok());
  std::string nested = R"({"type": "NFC"})";
  for (int i = 0; i < 50; ++i) nested = R"({"type": "Sequence", "normalizers": [)" + nested + "]}";
  EXPECT_NE(ErrorOf(Edited(ValidDocument(), "/normalizer", nested)).find("deep"),
            std::string::npos);
}

// tests/unit/tokenizer/test_refused_files.py compares the verdicts with those of `tokenizers`.
TEST(TokenizerLoader, NoValueOfAnotherTypeCrashes) {
  const std::string whole = ValidDocument();
  for (const std::string& pointer : PointersIn(whole)) {
    for (const char* value : {"null", "true", "0", "-1", "1e99", "\"\"", "[]", "{}"}) {
      const auto tokenizer = ParseTokenizer(Edited(whole, pointer, value));
      if (tokenizer.ok()) {
        // It may fail: the unknown token may be missing.
        (void)tokenizer->Encode({.text = "ab<end> é"});
      }
    }
  }
}

TEST(TokenizerLoader, AMemberThatIsListedTwiceIsAnError) {
  std::string document = ValidDocument();
  document.replace(document.find("\"fuse_unk\""), 0, "\"fuse_unk\": true, ");
  EXPECT_EQ(ErrorOf(document), "model.fuse_unk: this option is listed twice");
}

TEST(TokenizerLoader, ATokenThatIsListedTwiceHasItsLastId) {
  std::string document = ValidDocument();
  document.replace(document.find("\"a\": 0"), 0, "\"a\": 1, ");
  const auto tokenizer = ParseTokenizer(document);
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_EQ(tokenizer->Encode({.text = "a"})->ids, std::vector<uint32_t>{0});
}

TEST(TokenizerLoader, KeepsTruncationAndPaddingAndAppliesNeither) {
  std::string document =
      Edited(ValidDocument(), "/truncation",
             R"({"direction": "Left", "max_length": 1, "strategy": "OnlyFirst", "stride": 2})");
  document = Edited(document, "/padding", R"({"strategy": {"Fixed": 8}, "direction": "Right",
      "pad_to_multiple_of": null, "pad_id": 5, "pad_type_id": 1, "pad_token": "<end>"})");
  const auto tokenizer = ParseTokenizer(document);
  ASSERT_TRUE(tokenizer.ok()) << base::MessageOf(tokenizer.status());
  const tokenizer::Truncation truncation = {tokenizer::Side::kLeft, 1,
                                            tokenizer::Truncation::Strategy::kOnlyFirst, 2};
  const tokenizer::Padding padding = {8, tokenizer::Side::kRight, std::nullopt, 5, 1, "<end>"};
  EXPECT_EQ(tokenizer->settings().truncation, truncation);
  EXPECT_EQ(tokenizer->settings().padding, padding);
  EXPECT_EQ(tokenizer->settings().clean_up_tokenization_spaces, std::nullopt);
  EXPECT_EQ(tokenizer->Encode({.text = "aba"})->ids, (std::vector<uint32_t>{2, 0}));
}

TEST(TokenizerLoader, AFileThatIsNotThere) {
  const auto tokenizer = LoadTokenizer("/nowhere/tokenizer.json");
  EXPECT_EQ(tokenizer.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(base::MessageOf(tokenizer.status()), "/nowhere/tokenizer.json: there is no such file");
}

}  // namespace
}  // namespace triptych::loader
