#include <fmt/format.h>

#include "cmd/boot/boot_files.hpp"

namespace hob::cmd {
namespace {

std::string xml(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

std::string key(std::string_view name) { return fmt::format("\t<key>{}</key>\n", xml(name)); }

std::string words_of(const boot_request& request) {
    std::vector<std::string> words{request.program};
    const std::string& name = request.where.key;
    if (name != "user" && name != lifecycle::project_key(request.where.root))
        words.insert(words.end(), {"--instance", name});
    if (name != "user") words.insert(words.end(), {"-C", request.where.root});
    words.insert(words.end(), {"daemon", "--foreground"});
    std::string text = "\t<array>\n";
    for (const auto& word : words)
        text += fmt::format("\t\t<string>{}</string>\n", xml(word));
    return text + "\t</array>\n";
}

}  // namespace

boot_file launchd_plist(const boot_request& request) {
    const std::string label = "hob." + request.where.key;
    std::string text = R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Not tested. For ~/Library/LaunchAgents; then: launchctl bootstrap gui/UID FILE -->
<plist version="1.0">
<dict>
)";
    text += key("Label") + fmt::format("\t<string>{}</string>\n", xml(label));
    text += key("ProgramArguments") + words_of(request);
    text += key("EnvironmentVariables") + "\t<dict>\n";
    for (const auto& [name, value] : request.environment)
        text += fmt::format("\t\t<key>{}</key>\n\t\t<string>{}</string>\n", xml(name), xml(value));
    text += "\t</dict>\n" + key("RunAtLoad") + "\t<true/>\n";
    text += key("KeepAlive") + "\t<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>\n";
    const auto stop = std::chrono::ceil<std::chrono::seconds>(request.shutdown_timeout).count() + 5;
    text += key("ExitTimeOut") + fmt::format("\t<integer>{}</integer>\n</dict>\n</plist>\n", stop);
    return {label + ".plist", text};
}

}  // namespace hob::cmd
