#include "server/tokenizer_info.h"

#include <string>

#include "server/version.h"
#include "tokenizer/settings.h"

namespace triptych::server {
namespace {

namespace pb = sidecar::v1;

pb::Side ToProto(tokenizer::Side side) {
  return side == tokenizer::Side::kLeft ? pb::SIDE_LEFT : pb::SIDE_RIGHT;
}

pb::Truncation::Strategy ToProto(tokenizer::Truncation::Strategy strategy) {
  using Strategy = tokenizer::Truncation::Strategy;
  switch (strategy) {
    case Strategy::kLongestFirst:
      return pb::Truncation::STRATEGY_LONGEST_FIRST;
    case Strategy::kOnlyFirst:
      return pb::Truncation::STRATEGY_ONLY_FIRST;
    case Strategy::kOnlySecond:
      return pb::Truncation::STRATEGY_ONLY_SECOND;
  }
  return pb::Truncation::STRATEGY_UNSPECIFIED;  // not reached; the compiler cannot know
}

void Fill(const tokenizer::AddedToken& from, pb::AddedToken& to) {
  to.set_id(from.id);
  to.set_content(from.content);
  to.set_single_word(from.single_word);
  to.set_lstrip(from.lstrip);
  to.set_rstrip(from.rstrip);
  to.set_normalized(from.normalized);
  to.set_special(from.special);
}

void Fill(const tokenizer::Truncation& from, pb::Truncation& to) {
  to.set_direction(ToProto(from.direction));
  to.set_max_length(from.max_length);
  to.set_strategy(ToProto(from.strategy));
  to.set_stride(from.stride);
}

void Fill(const tokenizer::Padding& from, pb::Padding& to) {
  if (from.fixed_length.has_value()) to.set_fixed_length(*from.fixed_length);
  to.set_direction(ToProto(from.direction));
  if (from.pad_to_multiple_of.has_value()) to.set_pad_to_multiple_of(*from.pad_to_multiple_of);
  to.set_pad_id(from.pad_id);
  to.set_pad_type_id(from.pad_type_id);
  to.set_pad_token(from.pad_token);
}

}  // namespace

void FillInfo(const tokenizer::Tokenizer& tokenizer, pb::GetInfoResponse& info) {
  info.set_sidecar_version(std::string(kVersion));
  info.set_model_type(std::string(tokenizer.model_type()));
  info.set_vocab_size(static_cast<uint32_t>(tokenizer.vocab_size()));
  info.set_id_limit(static_cast<uint32_t>(tokenizer.id_limit()));
  for (const tokenizer::AddedToken& token : tokenizer.added_tokens()) {
    Fill(token, *info.add_added_tokens());
  }
  const tokenizer::Settings& settings = tokenizer.settings();
  if (settings.truncation.has_value()) Fill(*settings.truncation, *info.mutable_truncation());
  if (settings.padding.has_value()) Fill(*settings.padding, *info.mutable_padding());
  if (settings.clean_up_tokenization_spaces.has_value()) {
    info.set_clean_up_tokenization_spaces(*settings.clean_up_tokenization_spaces);
  }
}

}  // namespace triptych::server
