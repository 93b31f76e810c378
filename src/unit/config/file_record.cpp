#include "unit/config/file_record.hpp"

#include <boost/json.hpp>

#include "util/base64.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

thread_local file_record* recording = nullptr;
thread_local const file_record* replayed = nullptr;

}  // namespace

std::optional<file_record> file_record::parse(const std::string& text) {
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(text, error);
    const boost::json::object* object = error ? nullptr : parsed.if_object();
    if (!object) return std::nullopt;
    file_record record;
    for (const auto& member : *object) {
        const std::string path = util::base64_decode(std::string(member.key())).value_or("");
        const auto* bytes = member.value().if_string();
        record.add(path, bytes ? util::base64_decode(std::string(bytes->c_str(), bytes->size())) : std::nullopt);
    }
    return record;
}

// Neither paths nor files are always UTF-8.
std::string file_record::text() const {
    util::json_object object;
    for (const auto& [path, bytes] : files_)
        object.add(util::base64_encode(path), bytes ? std::optional(util::base64_encode(*bytes)) : std::nullopt);
    return std::move(object).text();
}

std::optional<std::string> file_record::bytes_of(const std::string& path) const {
    const auto found = files_.find(path);
    return found == files_.end() ? std::nullopt : found->second;
}

recorded_reading::recorded_reading(file_record* into, const file_record* from) {
    recording = into;
    replayed = from;
}

recorded_reading::~recorded_reading() {
    recording = nullptr;
    replayed = nullptr;
}

file_record* recorded_reading::into() { return recording; }

const file_record* recorded_reading::from() { return replayed; }

}  // namespace hob::unit
