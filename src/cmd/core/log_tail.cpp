#include "cmd/core/log_tail.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "cmd/core/log_text.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "util/clock.hpp"
#include "util/log/log_reader.hpp"

namespace hob::cmd {
namespace {

// Of the present or the last life of the unit, newest first.
std::vector<util::log_record> last_records(const lifecycle::instance& where, const std::string& unit,
                                           std::size_t count, std::chrono::system_clock::time_point since) {
    std::vector<util::log_record> found;
    bool at_the_end = true;
    const auto collect = [&](std::string_view line) {
        util::log_record record = util::parse_log_record(line);
        if (!is_shown(record, log_format::brief)) {
            // The message of hob that ends each life: the first one is of this life if it is new enough.
            return std::exchange(at_the_end, false) && record.time && *record.time >= since;
        }
        at_the_end = false;
        found.push_back(std::move(record));
        return found.size() < count;
    };
    const auto files = util::open_log_files(where.unit_log_path(unit));
    for (auto file = files.rbegin(); file != files.rend() && found.size() < count; ++file) {
        if (!util::read_lines_backward(*file, file->size, collect)) break;
    }
    return found;
}

}  // namespace

std::string last_log_lines(const lifecycle::instance& where, const std::string& unit, std::size_t count,
                           std::chrono::system_clock::time_point since) {
    const log_style style{err_terminal(), log_format::brief, true};
    const std::string today = util::rfc3339(std::chrono::system_clock::now()).substr(0, 10);
    const auto records = last_records(where, unit, count, since);
    std::string text;
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
        text += paint(printable(unit, style.out.utf8) + " | ", "2", style.out.color) +
                log_record_text(*record, style, today);
    }
    return text;
}

std::vector<std::string> last_texts(const lifecycle::instance& where, const std::string& unit,
                                    std::size_t count, std::chrono::system_clock::time_point since) {
    std::vector<std::string> texts;
    for (auto& record : last_records(where, unit, count, since))
        texts.insert(texts.begin(), std::move(record.message));
    return texts;
}

}  // namespace hob::cmd
