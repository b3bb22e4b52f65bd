// libFuzzer's hook for the loader target: changes a tokenizer.json as a tree, so that most inputs
// get past the parser of JSON and into the parsers of the stages. Bytes alone hardly ever stay
// valid JSON.
//
// Each change takes one value of the document and puts something in its place: one of the stages
// and options that tokenizer.json knows, another part of the same document, or a number, string or
// list that is apt to be wrong.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

using nlohmann::json;
using Random = std::minstd_rand;

size_t Below(size_t limit, Random& random) { return random() % limit; }

// Values of options, by chance in the wrong place.
constexpr std::string_view kValues[] = {
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2",
    "1000000",
    "4194302",
    "4294967295",
    "4294967296",
    "1e308",
    "-0.5",
    "-1e-320",
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"ab\"",
    "\"\\u2581\"",
    "\"\\u0120\"",
    "\"\\u0000\"",
    "\"##\"",
    "\"</w>\"",
    "\"<0x41>\"",
    "\"<unk>\"",
    "\"e\\u0301\"",
    "[]",
    "{}",
    "[\"a\",\"b\"]",
    "[\"ab\",-1.5]",
    "{\"Regex\":\"\\\\s+(?!\\\\S)|a*\"}",
    "{\"Regex\":\"(?:a|b)*?\"}",
    "{\"String\":\"a\"}",
    "{\"String\":\"\"}",
    "\"Removed\"",
    "\"Isolated\"",
    "\"MergedWithPrevious\"",
    "\"MergedWithNext\"",
    "\"Contiguous\"",
    "\"always\"",
    "\"first\"",
    "\"never\"",
};

// Types of stages, with all members that any of them has.
constexpr std::string_view kTypes[] = {
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Lowercase",
    "StripAccents",
    "Nmt",
    "ByteLevel",
    "Strip",
    "Replace",
    "Prepend",
    "BertNormalizer",
    "Precompiled",
    "Sequence",
    "Whitespace",
    "WhitespaceSplit",
    "BertPreTokenizer",
    "UnicodeScripts",
    "Metaspace",
    "CharDelimiterSplit",
    "Punctuation",
    "Digits",
    "Split",
    "FixedLength",
    "TemplateProcessing",
    "BertProcessing",
    "RobertaProcessing",
    "ByteFallback",
    "Fuse",
    "WordPiece",
    "BPEDecoder",
    "CTC",
    "BPE",
    "Unigram",
    "WordLevel",
};

void Collect(json& value, std::vector<json*>& all) {
  all.push_back(&value);
  if (!value.is_structured()) return;
  for (json& child : value) Collect(child, all);
}

json AValue(Random& random) {
  return json::parse(kValues[Below(std::size(kValues), random)], nullptr, false);
}

void ChangeObject(json& object, Random& random) {
  if (object.empty() || Below(4, random) == 0) {
    object["type"] = kTypes[Below(std::size(kTypes), random)];
    return;
  }
  auto member = object.begin();
  std::advance(member, Below(object.size(), random));
  if (Below(3, random) == 0) {
    object.erase(member);
  } else {
    object[member.key()] = AValue(random);
  }
}

void ChangeArray(json& array, Random& random) {
  if (array.empty()) {
    array.push_back(AValue(random));
    return;
  }
  const size_t at = Below(array.size(), random);
  switch (Below(3, random)) {
    case 0:
      array.erase(at);
      break;
    case 1:
      array.push_back(json(array[at]));
      break;
    default:
      std::swap(array[at], array[Below(array.size(), random)]);
      break;
  }
}

void ChangeString(json& value, Random& random) {
  std::string text = value.get<std::string>();
  constexpr size_t kRoom = 8;
  const size_t size = text.size();
  text.resize(size + kRoom);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), size, text.size()));
  value = text;
  (void)random;
}

void Change(json& document, Random& random) {
  std::vector<json*> all;
  Collect(document, all);
  json& value = *all[Below(all.size(), random)];
  switch (Below(4, random)) {
    case 0:
      value = AValue(random);
      return;
    case 1:
      value = json(*all[Below(all.size(), random)]);
      return;
    default:
      break;
  }
  if (value.is_object()) return ChangeObject(value, random);
  if (value.is_array()) return ChangeArray(value, random);
  if (value.is_string()) return ChangeString(value, random);
  value = AValue(random);
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  Random random(seed);
  json document = json::parse(data, data + size, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded() || Below(4, random) == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  for (size_t changes = 1 + Below(3, random); changes > 0; --changes) Change(document, random);
  // Strings that are no longer UTF-8 are written with a replacement.
  const std::string text = document.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
