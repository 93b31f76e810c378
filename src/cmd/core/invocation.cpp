#include "cmd/core/command.hpp"
#include "lifecycle/instance.hpp"

namespace hob::cmd {

bool invocation::has(std::string_view option) const { return value(option).has_value(); }

std::optional<std::string> invocation::value(std::string_view option) const {
    std::optional<std::string> last;
    for (const auto& [name, text] : options) {
        if (name == option) last = text;
    }
    return last;
}

const lifecycle::instance& invocation::where() {
    if (!where_) {
        lifecycle::instance_request request;
        request.name = global.instance;
        request.directory = global.directory;
        where_ = std::make_shared<const lifecycle::instance>(lifecycle::resolve_instance(request));
    }
    return *where_;
}

util::deadline invocation::limit_or(std::chrono::milliseconds otherwise) const {
    return global.timeout ? limit : util::deadline::in(otherwise);
}

}  // namespace hob::cmd
