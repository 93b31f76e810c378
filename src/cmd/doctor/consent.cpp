#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "cmd/doctor/checks.hpp"
#include "error.hpp"
#include "unit/config/config.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/store/reader.hpp"

namespace hob::cmd {

finding check_consent(const lifecycle::instance& where) {
    const std::string check = "consent";
    std::vector<std::string> held_back;
    try {
        const unit::config config = unit::load_config(where.config_path, ::geteuid(), where.root);
        const auto known = unit::read_consents(where.database_path());
        const std::set<std::pair<std::string, std::string>> consents(known.begin(), known.end());
        for (const auto& spec : config.units) {
            if (unit::starts_by_itself(spec) &&
                !consents.contains({spec.name, unit::definition_digest(spec)}))
                held_back.push_back(spec.name);
        }
    } catch (const failure&) {  // reported by the checks of the file and of the database
        return {check, health::ok, "unknown until hob.toml and the database can be read", ""};
    }
    if (held_back.empty()) return {check, health::ok, "every unit that starts by itself is accepted", ""};
    return {check, health::warn, fmt::format("new, so not started by itself: {}", fmt::join(held_back, ", ")),
            "look at them in hob.toml, then accept them: hob start " +
                fmt::format("{}", fmt::join(held_back, " "))};
}

}  // namespace hob::cmd
