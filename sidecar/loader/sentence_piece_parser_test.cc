#include "loader/sentence_piece_parser.h"

#include <gtest/gtest.h>

#include <bit>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/str_cat.h"
#include "loader/protobuf_reader.h"

namespace triptych::loader {
namespace {

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string Number(uint32_t field, uint64_t value) { return Varint(field << 3) + Varint(value); }

std::string Bytes(uint32_t field, const std::string& value) {
  return Varint(field << 3 | 2) + Varint(value.size()) + value;
}

std::string Float(uint32_t field, float value) {
  std::string bytes = Varint(field << 3 | 5);
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(std::bit_cast<uint32_t>(value) >> (8 * i));
  return bytes;
}

std::string Piece(const std::string& text, float score, uint64_t type) {
  return Bytes(1, Bytes(1, text) + Float(2, score) + Number(3, type));
}

std::string ValidModel(const std::string& trainer_spec = Number(3, 2),
                       const std::string& normalizer_spec = Number(4, 0)) {
  return Piece("<unk>", 0, 2) + Piece("<s>", 0, 3) + Piece("a", -2, 1) + Piece("▁", -2, 1) +
         Piece("▁a", -1, 1) + Bytes(2, trainer_spec) + Bytes(3, normalizer_spec);
}

std::string ErrorOf(const std::string& model, const TokenizerConfig& config = {}) {
  const auto parts = ParseSentencePiece(model, config);
  return parts.ok() ? "ok" : std::string(base::MessageOf(parts.status()));
}

TEST(ProtobufReader, ReadsEachKindOfField) {
  const std::string message = Number(1, 300) + Bytes(2, "ab") + Float(3, 1.5F) +
                              Varint(4 << 3 | 1) + std::string("\1\0\0\0\0\0\0\0", 8);
  ProtobufReader reader(message);
  EXPECT_EQ(reader.Next()->value, 300u);
  EXPECT_EQ(reader.Next()->bytes, "ab");
  EXPECT_EQ(reader.Next()->AsFloat(), 1.5F);
  EXPECT_EQ(reader.Next()->value, 1u);
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_FALSE(reader.failed());
}

TEST(ProtobufReader, StopsAtWhatIsMalformed) {
  const std::string endless(11, '\xFF');
  for (const std::string& message :
       {std::string("\x08"),
        std::string("\x0A\x05"
                    "a"),
        std::string("\x0D\1\2"), endless, "\x08" + endless, std::string("\x0B"),
        std::string("\0\0", 2), std::string("\x0F\1")}) {
    ProtobufReader reader(message);
    EXPECT_FALSE(reader.Next().has_value());
    EXPECT_TRUE(reader.failed());
  }
}

TEST(SentencePieceParser, EveryErrorNamesItsPlace) {
  EXPECT_EQ(ErrorOf(ValidModel()), "ok");
  EXPECT_EQ(ErrorOf(""), "pieces: none is the unknown piece");
  EXPECT_EQ(ErrorOf("\xFF"), "the model: is not a protobuf message");
  EXPECT_EQ(ErrorOf(Bytes(1, "\xFF")), "the model: pieces[0]: is not a protobuf message");
  EXPECT_EQ(ErrorOf(Piece("a", 0, 7)), "the model: pieces[0]: the type 7 is not known");
  EXPECT_EQ(ErrorOf(Bytes(1, Number(1, 1))), "the model: pieces[0]: field 1 has another type");
  EXPECT_EQ(ErrorOf(Number(1, 1)), "the model: field 1 has another type");
  EXPECT_EQ(ErrorOf(ValidModel(Number(3, 4))),
            "the model: trainer_spec: model_type 4 is not supported yet; supported: 1 (UNIGRAM), 2 "
            "(BPE)");
  EXPECT_EQ(ErrorOf(ValidModel(Number(35, 1))),
            "pieces: byte_fallback is set, but a byte is missing");
  EXPECT_EQ(ErrorOf(ValidModel(Number(3, 2), Bytes(2, "ab"))),
            "normalizer_spec: precompiled_charsmap: is too short");
  EXPECT_EQ(ErrorOf(ValidModel() + Bytes(5, Bytes(2, "ab"))),
            "the model: denormalizer_spec: a precompiled_charsmap for decoding is not supported "
            "yet");
  TokenizerConfig config;
  config.add_eos_token = true;
  EXPECT_EQ(ErrorOf(ValidModel(), config),
            "tokenizer_config.json wants \"</s>\" around a text, which is no piece");
}

TEST(SentencePieceParser, NoPrefixAndNoChangedByteCrashes) {
  const std::string model = ValidModel();
  for (size_t i = 0; i < model.size(); ++i) {
    (void)ErrorOf(model.substr(0, i));
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = model;
      changed[i] = static_cast<char>(byte);
      auto parts = ParseSentencePiece(changed, {});
      if (!parts.ok()) continue;
      const auto tokenizer = tokenizer::Tokenizer::Create(*std::move(parts));
      if (tokenizer.ok()) {
        EXPECT_TRUE(tokenizer->Encode({.text = " a<s>é a"}).ok());
      }
    }
  }
}

}  // namespace
}  // namespace triptych::loader
