// FillInfo: what GetInfo tells about the tokenizer that is loaded.
#ifndef SIDECAR_SERVER_TOKENIZER_INFO_H_
#define SIDECAR_SERVER_TOKENIZER_INFO_H_

#include "tokenizer/tokenizer.h"
#include "triptych/sidecar/v1/tokenizer_service.pb.h"

namespace triptych::server {

// Fills `info`, which must be empty.
void FillInfo(const tokenizer::Tokenizer& tokenizer, sidecar::v1::GetInfoResponse& info);

}  // namespace triptych::server

#endif  // SIDECAR_SERVER_TOKENIZER_INFO_H_
