#include "server/decode_session.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/str_cat.h"

namespace triptych::server {

using sidecar::v1::StreamOperation;

void DecodeSession::Run(const sidecar::v1::StreamDecodeRequest& request,
                        sidecar::v1::StreamDecodeResponse& response) {
  for (const StreamOperation& operation : request.operations()) {
    sidecar::v1::StreamResult& result = *response.add_results();
    absl::StatusOr<std::string> text = RunOne(operation);
    if (text.ok()) {
      result.set_text(*std::move(text));
      continue;
    }
    result.mutable_failure()->set_code(static_cast<int>(text.status().code()));
    result.mutable_failure()->set_message(std::string(base::MessageOf(text.status())));
  }
}

absl::StatusOr<std::string> DecodeSession::RunOne(const StreamOperation& operation) {
  const uint64_t id = operation.stream_id();
  const auto stream = streams_.find(id);
  if (operation.has_open()) {
    if (stream != streams_.end()) {
      return absl::AlreadyExistsError(
          base::StrCat("stream_id: the stream ", id, " is open already"));
    }
    streams_.try_emplace(id, tokenizer_, operation.open().skip_special_tokens());
    return std::string();
  }
  if (stream == streams_.end()) {
    return absl::NotFoundError(base::StrCat("stream_id: the stream ", id, " is not open"));
  }
  if (operation.has_append()) {
    const auto& ids = operation.append().token_ids();
    return stream->second.Append(std::vector<uint32_t>(ids.begin(), ids.end()));
  }
  if (operation.has_close()) {
    std::string rest = stream->second.Flush();
    streams_.erase(stream);
    return rest;
  }
  return absl::InvalidArgumentError("operation: not set");
}

}  // namespace triptych::server
