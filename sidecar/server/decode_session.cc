#include "server/decode_session.h"

#include <utility>

#include "base/str_cat.h"

namespace triptych::server {
namespace {

namespace pb = sidecar::v1;
using tokenizer::StreamText;

void SetFailure(const absl::Status& status, pb::StreamFailure& failure) {
  failure.set_code(static_cast<int>(status.code()));
  failure.set_message(std::string(base::MessageOf(status)));
}

absl::Status NotOpen(uint64_t id) {
  return absl::NotFoundError(base::StrCat("stream_id: the stream ", id, " is not open"));
}

// Whether the columns leave out the counts, as they may where each append has one id.
bool HasOneIdEach(const pb::AppendColumns& appends) {
  return appends.token_counts_size() == 0 && appends.token_ids_size() == appends.stream_ids_size();
}

absl::Status CheckColumns(const pb::AppendColumns& appends) {
  if (HasOneIdEach(appends)) return absl::OkStatus();
  if (appends.token_counts_size() != appends.stream_ids_size()) {
    return absl::InvalidArgumentError(
        base::StrCat("appends.token_counts: ", appends.token_counts_size(), " counts for ",
                     appends.stream_ids_size(),
                     " streams; give one for each, or none where each append has one id"));
  }
  uint64_t total = 0;
  for (const uint32_t count : appends.token_counts()) total += count;
  if (total != static_cast<uint64_t>(appends.token_ids_size())) {
    return absl::InvalidArgumentError(base::StrCat("appends.token_ids: ", appends.token_ids_size(),
                                                   " ids, but the counts add up to ", total));
  }
  return absl::OkStatus();
}

void AddTo(absl::StatusOr<StreamText> added, pb::TextColumns& texts) {
  const auto index = static_cast<uint32_t>(texts.pieces_size());
  std::string& piece = *texts.add_pieces();
  if (!added.ok()) {
    pb::FailureAt& failure = *texts.add_failures();
    failure.set_index(index);
    SetFailure(added.status(), *failure.mutable_failure());
    return;
  }
  piece = std::move(added->text);
  if (!added->stop_index.has_value()) return;
  pb::StopAt& stop = *texts.add_stops();
  stop.set_index(index);
  stop.set_stop_index(*added->stop_index);
  stop.set_tokens_used(added->tokens_used);
}

void SetResult(absl::StatusOr<StreamText> added, pb::StreamResult& result) {
  if (!added.ok()) {
    SetFailure(added.status(), *result.mutable_failure());
    return;
  }
  result.set_text(std::move(added->text));
  if (!added->stop_index.has_value()) return;
  result.mutable_stop()->set_stop_index(*added->stop_index);
  result.mutable_stop()->set_tokens_used(added->tokens_used);
}

}  // namespace

absl::Status DecodeSession::Run(const pb::StreamDecodeRequest& request,
                                pb::StreamDecodeResponse& response) {
  if (absl::Status checked = CheckColumns(request.appends()); !checked.ok()) return checked;
  for (const pb::StreamOperation& operation : request.operations()) {
    RunOperation(operation, *response.add_results());
  }
  if (request.has_appends()) RunAppends(request.appends(), *response.mutable_texts());
  if (request.closes_size() > 0) RunCloses(request, *response.mutable_texts());
  return absl::OkStatus();
}

void DecodeSession::RunOperation(const pb::StreamOperation& operation, pb::StreamResult& result) {
  const uint64_t id = operation.stream_id();
  switch (operation.operation_case()) {
    case pb::StreamOperation::kOpen:
      if (absl::Status opened = Open(id, operation.open()); !opened.ok()) {
        SetFailure(opened, *result.mutable_failure());
      }
      break;
    case pb::StreamOperation::kAppend: {
      const auto& ids = operation.append().token_ids();
      SetResult(Append(id, {ids.data(), static_cast<size_t>(ids.size())}), result);
      break;
    }
    case pb::StreamOperation::kClose:
      SetResult(Close(id), result);
      break;
    case pb::StreamOperation::OPERATION_NOT_SET:
      SetFailure(absl::InvalidArgumentError("operation: none is set"), *result.mutable_failure());
  }
}

void DecodeSession::RunAppends(const pb::AppendColumns& appends, pb::TextColumns& texts) {
  const bool has_one_each = HasOneIdEach(appends);
  const uint32_t* ids = appends.token_ids().data();
  for (int i = 0; i < appends.stream_ids_size(); ++i) {
    const uint32_t count = has_one_each ? 1 : appends.token_counts(i);
    AddTo(Append(appends.stream_ids(i), {ids, count}), texts);
    ids += count;
  }
}

void DecodeSession::RunCloses(const pb::StreamDecodeRequest& request, pb::TextColumns& texts) {
  for (const uint64_t id : request.closes()) AddTo(Close(id), texts);
}

absl::Status DecodeSession::Open(uint64_t id, const pb::OpenStream& options) {
  if (streams_.contains(id)) {
    return absl::AlreadyExistsError(base::StrCat("stream_id: the stream ", id, " is open already"));
  }
  if (options.stop_strings_size() > max_stop_strings_) {
    return absl::InvalidArgumentError(base::StrCat("stop_strings: ", options.stop_strings_size(),
                                                   " are more than the ", max_stop_strings_,
                                                   " that --max-batch allows; give fewer"));
  }
  tokenizer::StreamOptions stream_options;
  stream_options.skip_special_tokens = options.skip_special_tokens();
  stream_options.stop_strings = {options.stop_strings().begin(), options.stop_strings().end()};
  stream_options.include_stop_string = options.include_stop_string();
  stream_options.clean_up_spaces = options.clean_up_spaces();
  stream_options.context = {options.context_token_ids().data(),
                            static_cast<size_t>(options.context_token_ids_size())};
  stream_options.min_tokens = options.min_tokens();
  absl::StatusOr<tokenizer::DecodeStream> stream =
      tokenizer::DecodeStream::Create(tokenizer_, std::move(stream_options));
  if (!stream.ok()) return stream.status();
  if (++count_.open > count_.limit) {
    --count_.open;
    return absl::ResourceExhaustedError(base::StrCat(
        "stream_id: ", count_.limit,
        " streams are open, more than which --max-streams does not allow; close some"));
  }
  streams_.try_emplace(id, *std::move(stream));
  return absl::OkStatus();
}

absl::StatusOr<StreamText> DecodeSession::Append(uint64_t id, std::span<const uint32_t> ids) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return NotOpen(id);
  return stream->second.Append(ids);
}

absl::StatusOr<StreamText> DecodeSession::Close(uint64_t id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return NotOpen(id);
  StreamText rest = stream->second.Flush();
  streams_.erase(stream);
  --count_.open;
  return rest;
}

}  // namespace triptych::server
