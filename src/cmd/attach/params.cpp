#include "cmd/attach/params.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "error.hpp"
#include "util/base64.hpp"
#include "util/json/json_text.hpp"

namespace hob::cmd {
namespace {

[[noreturn]] void malformed(std::string_view form) {
    throw failure(error_kind::usage, cannot("read the params"), "they are not " + std::string(form));
}

std::vector<util::json_member> members_of(std::string_view params) {
    return util::json_object_members(params).value_or(std::vector<util::json_member>());
}

std::uint64_t number_of(std::string_view value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, util::json_integer(value).value_or(0)));
}

// nullopt unless both are given and possible.
class size_reader {
public:
    void take(const util::json_member& member) {
        if (member.key == "rows") rows_ = number_of(member.value);
        if (member.key == "columns") columns_ = number_of(member.value);
    }
    std::optional<unit::terminal_size> size() const {
        constexpr std::uint64_t most = 0xffff;
        if (rows_ == 0 || columns_ == 0 || rows_ > most || columns_ > most) return std::nullopt;
        return unit::terminal_size{static_cast<unsigned short>(rows_), static_cast<unsigned short>(columns_)};
    }

private:
    std::uint64_t rows_ = 0, columns_ = 0;
};

}  // namespace

attach_params parse_attach(std::string_view params) {
    attach_params wanted;
    std::optional<std::string> unit;
    size_reader size;
    for (const auto& member : members_of(params)) {
        if (member.key == "unit") unit = util::json_unquote(member.value);
        if (member.key == "typed") wanted.typed = member.value == "true";
        if (member.key == "recent") wanted.recent = member.value == "true";
        size.take(member);
    }
    if (!unit) malformed("{\"unit\":NAME}");
    wanted.unit = std::move(*unit);
    wanted.size = size.size();
    return wanted;
}

attached_input parse_attached_input(std::string_view params) {
    attached_input input;
    std::optional<std::string> data;
    for (const auto& member : members_of(params)) {
        if (member.key == "attachment") input.attachment = number_of(member.value);
        if (member.key == "data") data = util::json_unquote(member.value);
        if (member.key == "data_b64" && !data) {
            const auto encoded = util::json_unquote(member.value);
            if (encoded) data = util::base64_decode(*encoded);
        }
        if (member.key == "end") input.end = member.value == "true";
    }
    if (input.attachment == 0 || (!data && !input.end))
        malformed("{\"attachment\":N,\"data\":TEXT,\"end\":BOOL}");
    input.data = std::move(data).value_or("");
    return input;
}

attached_size parse_attached_size(std::string_view params) {
    attached_size wanted;
    size_reader size;
    for (const auto& member : members_of(params)) {
        if (member.key == "attachment") wanted.attachment = number_of(member.value);
        size.take(member);
    }
    const auto given = size.size();
    if (wanted.attachment == 0 || !given) malformed("{\"attachment\":N,\"rows\":N,\"columns\":N}");
    wanted.size = *given;
    return wanted;
}

}  // namespace hob::cmd
