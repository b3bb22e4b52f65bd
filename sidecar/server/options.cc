#include "server/options.h"

#include <array>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "base/str_cat.h"

namespace triptych::server {
namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr int kMaxPort = 65535;

constexpr std::array<std::pair<std::string_view, int Limits::*>, 6> kLimitFlags = {{
    {"--max-text-bytes", &Limits::max_text_bytes},
    {"--max-batch", &Limits::max_batch},
    {"--max-message-bytes", &Limits::max_message_bytes},
    {"--max-streams", &Limits::max_streams},
    {"--max-calls", &Limits::max_calls},
    {"--threads", &Limits::threads},
}};

absl::Status CheckComplete(const Options& options) {
  if (options.model_path.empty()) {
    return absl::InvalidArgumentError(
        "--model is missing: give a tokenizer.json, or a directory that has one");
  }
  if (options.listen_address.empty()) {
    return absl::InvalidArgumentError("--listen is missing: give unix:PATH or HOST:PORT");
  }
  if (options.listen_address == base::StrCat(kUnixScheme, options.local_socket)) {
    return absl::InvalidArgumentError(
        "--local-socket: the path is that of --listen; give another one");
  }
  return absl::OkStatus();
}

bool IsHostAndPort(std::string_view address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  return colon != std::string_view::npos && colon > 0 &&
         absl::SimpleAtoi(std::string(address.substr(colon + 1)), &port) && port >= 0 &&
         port <= kMaxPort;
}

absl::Status CheckSocketPath(std::string_view flag, size_t size) {
  if (size <= kMaxSocketPathBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      base::StrCat(flag, ": the path is longer than ", kMaxSocketPathBytes, " bytes"));
}

absl::Status SetListenAddress(const std::string& value, Options& options) {
  const bool is_unix = std::string_view(value).starts_with(kUnixScheme);
  if (is_unix ? value.size() == kUnixScheme.size() : !IsHostAndPort(value)) {
    return absl::InvalidArgumentError(
        base::StrCat("--listen: \"", value, "\" is neither unix:PATH nor HOST:PORT"));
  }
  if (is_unix) {
    absl::Status checked = CheckSocketPath("--listen", value.size() - kUnixScheme.size());
    if (!checked.ok()) return checked;
  }
  options.listen_address = value;
  return absl::OkStatus();
}

absl::Status SetLocalSocket(std::string_view flag, const std::string& value, Options& options) {
  if (value.empty()) return absl::InvalidArgumentError(base::StrCat(flag, ": the path is empty"));
  if (absl::Status checked = CheckSocketPath(flag, value.size()); !checked.ok()) return checked;
  options.local_socket = value;
  return absl::OkStatus();
}

absl::Status SetSeries(std::string_view flag, const std::string& value, Options& options) {
  if (value != "0.23" && value != "1.0") {
    return absl::InvalidArgumentError(
        base::StrCat(flag, ": \"", value, "\" is neither 0.23 nor 1.0"));
  }
  options.load.tables =
      value == "1.0" ? unicode::TableVersion::kTokenizers10 : unicode::TableVersion::kTokenizers023;
  return absl::OkStatus();
}

absl::Status SetPositive(std::string_view flag, const std::string& value, std::string_view what,
                         int& number) {
  if (!absl::SimpleAtoi(value, &number) || number <= 0) {
    return absl::InvalidArgumentError(base::StrCat(flag, ": \"", value, "\" is not ", what));
  }
  return absl::OkStatus();
}

absl::Status SetFlag(std::string_view flag, const std::string& value, Options& options) {
  if (flag == "--model" || flag == "--tokenizer") {
    options.model_path = value;
    return absl::OkStatus();
  }
  if (flag == "--listen") return SetListenAddress(value, options);
  if (flag == "--local-socket") return SetLocalSocket(flag, value, options);
  if (flag == "--tokenizers-series") return SetSeries(flag, value, options);
  if (flag == "--parent-death") {
    return SetPositive(flag, value, "a process id", options.parent_pid);
  }
  for (const auto& [name, limit] : kLimitFlags) {
    if (flag == name) return SetPositive(flag, value, "a number from 1 on", options.limits.*limit);
  }
  return absl::InvalidArgumentError(base::StrCat("\"", flag, "\" is not a flag; see --help"));
}

bool IsFlag(std::string_view name) {
  for (const auto& [flag, limit] : kLimitFlags) {
    if (name == flag) return true;
  }
  return name == "--model" || name == "--tokenizer" || name == "--listen" ||
         name == "--local-socket" || name == "--tokenizers-series" || name == "--parent-death";
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "--version") {
      options.action =
          argument == "--help" ? Options::Action::kPrintHelp : Options::Action::kPrintVersion;
      return options;
    }
    const size_t equals = argument.find('=');
    const std::string_view flag = argument.substr(0, equals);
    if (!IsFlag(flag)) {
      return absl::InvalidArgumentError(base::StrCat("\"", flag, "\" is not a flag; see --help"));
    }
    const bool is_joined = equals != std::string_view::npos;
    if (!is_joined && i + 1 == arguments.size()) {
      return absl::InvalidArgumentError(base::StrCat(flag, " needs a value"));
    }
    const std::string value = is_joined ? std::string(argument.substr(equals + 1)) : arguments[++i];
    if (absl::Status set = SetFlag(flag, value, options); !set.ok()) return set;
  }
  if (absl::Status checked = CheckComplete(options); !checked.ok()) return checked;
  return options;
}

}  // namespace triptych::server
