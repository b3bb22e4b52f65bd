#include "server/options.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "base/str_cat.h"

namespace triptych::server {
namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr size_t kMaxSocketPathBytes = 107;  // sockaddr_un.sun_path, less its closing zero

absl::Status CheckComplete(const Options& options) {
  if (options.tokenizer_path.empty()) {
    return absl::InvalidArgumentError("--tokenizer is missing: give a tokenizer.json");
  }
  if (options.listen_address.empty()) {
    return absl::InvalidArgumentError("--listen is missing: give unix:PATH");
  }
  return absl::OkStatus();
}

absl::Status SetFlag(std::string_view flag, const std::string& value, Options& options) {
  if (flag == "--tokenizer") {
    options.tokenizer_path = value;
  } else if (flag == "--listen") {
    if (!std::string_view(value).starts_with(kUnixScheme) || value.size() == kUnixScheme.size()) {
      return absl::InvalidArgumentError(base::StrCat("--listen: \"", value, "\" is not unix:PATH"));
    }
    if (value.size() - kUnixScheme.size() > kMaxSocketPathBytes) {
      return absl::InvalidArgumentError(
          base::StrCat("--listen: the path is longer than ", kMaxSocketPathBytes, " bytes"));
    }
    options.listen_address = value;
  } else if (!absl::SimpleAtoi(value, &options.parent_pid) || options.parent_pid <= 0) {
    return absl::InvalidArgumentError(
        base::StrCat("--parent-death: \"", value, "\" is not a process id"));
  }
  return absl::OkStatus();
}

bool IsFlag(std::string_view name) {
  return name == "--tokenizer" || name == "--listen" || name == "--parent-death";
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
