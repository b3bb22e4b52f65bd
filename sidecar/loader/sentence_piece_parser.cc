// The numbers of the fields are those of sentencepiece_model.proto. Fields that only a trainer
// reads are passed over.
//
// Tested by sentence_piece_parser_test.cc and tests/unit/tokenizer/test_sentence_piece.py.
#include "loader/sentence_piece_parser.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "loader/json_node.h"
#include "loader/json_text.h"
#include "loader/protobuf_reader.h"
#include "loader/stage_parsers.h"
#include "loader/status_macros.h"
#include "models/sentence_piece_bpe.h"
#include "models/sentence_piece_unigram.h"
#include "models/sentence_pieces.h"
#include "normalizers/sentence_piece.h"

namespace triptych::loader {
namespace {

using Field = ProtobufReader::Field;
using Kind = ProtobufReader::Kind;
using Type = models::SentencePiece::Type;

enum class ModelType : uint64_t { kUnigram = 1, kBpe = 2 };

// What a model says, with the defaults of the .proto.
struct ModelFile {
  std::vector<models::SentencePiece> pieces;
  ModelType type = ModelType::kUnigram;
  bool byte_fallback = false;
  std::string bos_piece = "<s>";
  std::string eos_piece = "</s>";
  normalizers::SentencePieceOptions normalizer;
};

// Calls visit(field) for each field of `message`.
template <typename Visit>
absl::Status ForEachField(std::string_view message, std::string_view name, const Visit& visit) {
  ProtobufReader reader(message);
  while (const std::optional<Field> field = reader.Next()) {
    if (absl::Status visited = visit(*field); !visited.ok()) {
      return absl::InvalidArgumentError(base::StrCat(name, ": ", base::MessageOf(visited)));
    }
  }
  if (!reader.failed()) return absl::OkStatus();
  return absl::InvalidArgumentError(base::StrCat(name, ": is not a protobuf message"));
}

absl::Status Expect(const Field& field, Kind kind) {
  if (field.kind == kind) return absl::OkStatus();
  return absl::InvalidArgumentError(base::StrCat("field ", field.number, " has another type"));
}

absl::Status ReadBool(const Field& field, bool& value) {
  value = field.value != 0;
  return Expect(field, Kind::kVarint);
}

absl::Status ReadPiece(const Field& field, models::SentencePiece& piece) {
  switch (field.number) {
    case 1:
      piece.text = field.bytes;
      return Expect(field, Kind::kBytes);
    case 2:
      piece.score = field.AsFloat();
      return Expect(field, Kind::kFixed32);
    case 3:
      if (field.value < 1 || field.value > 6) {
        return absl::InvalidArgumentError(base::StrCat("the type ", field.value, " is not known"));
      }
      piece.type = static_cast<Type>(field.value);
      return Expect(field, Kind::kVarint);
    default:
      return absl::OkStatus();
  }
}

absl::Status ReadTrainerSpec(const Field& field, ModelFile& file) {
  switch (field.number) {
    case 3:
      if (field.value != 1 && field.value != 2) {
        return absl::InvalidArgumentError(base::StrCat(
            "model_type ", field.value, " is not supported yet; supported: 1 (UNIGRAM), 2 (BPE)"));
      }
      file.type = static_cast<ModelType>(field.value);
      return Expect(field, Kind::kVarint);
    case 24:
      return ReadBool(field, file.normalizer.treat_whitespace_as_suffix);
    case 35:
      return ReadBool(field, file.byte_fallback);
    case 46:
      file.bos_piece = field.bytes;
      return Expect(field, Kind::kBytes);
    case 47:
      file.eos_piece = field.bytes;
      return Expect(field, Kind::kBytes);
    default:
      return absl::OkStatus();
  }
}

absl::Status ReadNormalizerSpec(const Field& field, normalizers::SentencePieceOptions& options) {
  switch (field.number) {
    case 2:
      options.rules = field.bytes;
      return Expect(field, Kind::kBytes);
    case 3:
      return ReadBool(field, options.add_dummy_prefix);
    case 4:
      return ReadBool(field, options.remove_extra_whitespaces);
    case 5:
      return ReadBool(field, options.escape_whitespaces);
    default:
      return absl::OkStatus();
  }
}

absl::Status ReadDenormalizerSpec(const Field& field) {
  if (field.number != 2 || field.bytes.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("a precompiled_charsmap for decoding is not supported yet");
}

absl::Status ReadModel(const Field& field, ModelFile& file) {
  if (field.number < 1 || field.number > 5 || field.number == 4) return absl::OkStatus();
  if (absl::Status is_message = Expect(field, Kind::kBytes); !is_message.ok()) return is_message;
  if (field.number == 1) {
    models::SentencePiece piece;
    absl::Status read = ForEachField(field.bytes, base::StrCat("pieces[", file.pieces.size(), "]"),
                                     [&](const Field& inner) { return ReadPiece(inner, piece); });
    file.pieces.push_back(std::move(piece));
    return read;
  }
  if (field.number == 2) {
    return ForEachField(field.bytes, "trainer_spec",
                        [&](const Field& inner) { return ReadTrainerSpec(inner, file); });
  }
  if (field.number == 3) {
    return ForEachField(field.bytes, "normalizer_spec", [&](const Field& inner) {
      return ReadNormalizerSpec(inner, file.normalizer);
    });
  }
  return ForEachField(field.bytes, "denormalizer_spec", ReadDenormalizerSpec);
}

std::vector<tokenizer::AddedToken> AddedTokensOf(const ModelFile& file) {
  std::vector<tokenizer::AddedToken> tokens;
  for (uint32_t id = 0; id < file.pieces.size(); ++id) {
    const auto& [text, score, type] = file.pieces[id];
    if (type != Type::kControl && type != Type::kUnknown) continue;
    tokenizer::AddedToken token;
    token.id = id;
    token.content = text;
    token.normalized = false;
    token.special = true;
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// The stages that tokenizer.json knows as well are written in its words.
std::string DecoderJson(const ModelFile& file) {
  std::string steps = R"({"type":"Replace","pattern":{"String":"▁"},"content":" "})";
  if (file.byte_fallback) steps += R"(,{"type":"ByteFallback"})";
  steps += R"(,{"type":"Fuse"})";
  if (file.normalizer.add_dummy_prefix || file.normalizer.remove_extra_whitespaces) {
    steps += R"(,{"type":"Strip","content":" ","start":1,"stop":0})";
  }
  return base::StrCat(R"({"type":"Sequence","decoders":[)", steps, "]}");
}

std::string PostProcessorJson(const std::vector<std::string>& front,
                              const std::vector<std::string>& behind,
                              const models::Vocabulary& vocabulary) {
  std::string items, tokens;
  const auto add = [&](const std::string& name) {
    const std::string quoted = JsonString(name);
    items += base::StrCat(R"({"SpecialToken":{"id":)", quoted, R"(,"type_id":0}})");
    if (!tokens.empty()) tokens += ",";
    tokens += base::StrCat(quoted, R"(:{"id":)", quoted, R"(,"ids":[)",
                           vocabulary.IdOf(name).value_or(0), R"(],"tokens":[)", quoted, "]}");
  };
  for (const std::string& name : front) {
    add(name);
    items += ",";
  }
  items += R"({"Sequence":{"id":"A","type_id":0}})";
  for (const std::string& name : behind) {
    items += ",";
    add(name);
  }
  return base::StrCat(R"({"type":"TemplateProcessing","single":[)", items,
                      R"(],"pair":[{"Sequence":{"id":"A","type_id":0}},)",
                      R"({"Sequence":{"id":"B","type_id":1}}],"special_tokens":{)", tokens, "}}");
}

absl::StatusOr<ModelFile> ReadModelFile(std::string_view contents) {
  ModelFile file;
  RETURN_IF_ERROR(ForEachField(contents, "the model",
                               [&](const Field& field) { return ReadModel(field, file); }));
  for (const models::SentencePiece& piece : file.pieces) {
    if (piece.type == Type::kUserDefined) file.normalizer.verbatim.push_back(piece.text);
  }
  return file;
}

absl::StatusOr<std::unique_ptr<JsonDocument>> SurroundingStages(const ModelFile& file,
                                                                const TokenizerConfig& config,
                                                                const models::Model& model) {
  std::vector<std::string> front, behind;
  if (config.add_bos_token) front.push_back(file.bos_piece);
  if (config.add_eos_token) behind.push_back(file.eos_piece);
  for (const auto& names : {front, behind}) {
    for (const std::string& name : names) {
      if (model.vocabulary().IdOf(name).has_value()) continue;
      return absl::InvalidArgumentError(base::StrCat("tokenizer_config.json wants \"", name,
                                                     "\" around a text, which is no piece"));
    }
  }
  const bool is_bare = front.empty() && behind.empty();
  return JsonDocument::Parse(
      base::StrCat(R"({"decoder":)", DecoderJson(file), R"(,"post_processor":)",
                   is_bare ? "null" : PostProcessorJson(front, behind, model.vocabulary()), "}"));
}

}  // namespace

absl::StatusOr<tokenizer::TokenizerParts> ParseSentencePiece(std::string_view contents,
                                                             const TokenizerConfig& config) {
  ASSIGN_OR_RETURN(const ModelFile file, ReadModelFile(contents));
  ASSIGN_OR_RETURN(models::SentencePieces pieces,
                   models::SentencePieces::Create(file.pieces, file.byte_fallback));
  tokenizer::TokenizerParts parts;
  if (file.type == ModelType::kBpe) {
    parts.model = std::make_unique<models::SentencePieceBpe>(std::move(pieces));
  } else {
    parts.model = std::make_unique<models::SentencePieceUnigram>(std::move(pieces));
  }
  auto normalizer = normalizers::SentencePiece::Create(file.normalizer);
  if (!normalizer.ok()) {
    return absl::InvalidArgumentError(
        base::StrCat("normalizer_spec: ", base::MessageOf(normalizer.status())));
  }
  parts.normalizer = std::make_unique<normalizers::SentencePiece>(*std::move(normalizer));
  parts.added_tokens = AddedTokensOf(file);
  ASSIGN_OR_RETURN(const std::unique_ptr<JsonDocument> document,
                   SurroundingStages(file, config, *parts.model));
  ASSIGN_OR_RETURN(parts.decoder, ParseDecoder(document->root()["decoder"]));
  ASSIGN_OR_RETURN(parts.post_processor, ParsePostProcessor(document->root()["post_processor"]));
  parts.settings.clean_up_tokenization_spaces = config.clean_up_tokenization_spaces;
  return parts;
}

}  // namespace triptych::loader
