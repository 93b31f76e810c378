#include "cmd/units/up_methods.hpp"

#include <utility>

#include "lifecycle/daemon.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

std::string begun_json(const up_session& session) {
    util::json_array units;
    for (const auto& unit : session.shown) {
        util::json_object object;
        object.add("name", unit.name).add("started", unit.ours);
        if (unit.log_inode != 0) object.add("log_inode", unit.log_inode).add("log_size", unit.log_size);
        units.add(object);
    }
    util::json_array by_themselves;
    for (const auto& name : session.by_themselves)
        by_themselves.add(name);
    util::json_object begun;
    begun.add("units", units).add("by_itself", by_themselves);
    if (!session.exit_with.empty() && !session.exit_with_is_task)
        begun.add("ends", session.mark.ends).add("keeper", session.mark.keeper);
    return std::move(begun).text();
}

std::string end_json(const up_end& end) {
    util::json_object object;
    object.add("shuts_down", end.shuts_down);
    util::json_array failed;
    for (const auto& unit : end.failed)
        failed.add(util::json_object().add("unit", unit.name).add("reason", unit.reason));
    object.add("failed", failed);
    if (end.status) object.add("status", *end.status);
    if (!end.no_status.empty()) object.add("reason", end.no_status);
    return std::move(object).text();
}

std::vector<std::string_view> elements_of(std::string_view object, std::string_view key) {
    return util::json_array_elements(util::json_find(object, {key}))
        .value_or(std::vector<std::string_view>());
}

std::uint64_t number_in(std::string_view object, std::string_view key) {
    return static_cast<std::uint64_t>(util::json_find_integer(object, {key}).value_or(0));
}

}  // namespace

boost::asio::awaitable<std::string> answer_up(handler_context context, std::shared_ptr<ipc::session> by,
                                              ipc::request request) {
    unit_request parsed = parse_unit_request(request.params);
    co_await context.daemon.apply_changed_file();
    up_session session = plan_up(context, std::move(parsed), by->peer_pid());
    by->subscribe();
    by->notify("up.begun", begun_json(session));
    co_return end_json(co_await bring_up(context, std::move(session)));
}

up_begun parse_up_begun(std::string_view params) {
    up_begun begun;
    for (const auto element : elements_of(params, "units")) {
        up_unit unit;
        unit.name = util::json_find_string(element, {"name"}).value_or("");
        unit.ours = util::json_find_true(element, {"started"});
        unit.log_inode = number_in(element, "log_inode");
        unit.log_size = number_in(element, "log_size");
        begun.shown.push_back(std::move(unit));
    }
    for (const auto element : elements_of(params, "by_itself"))
        begun.by_themselves.push_back(util::json_unquote(element).value_or(""));
    if (const auto ends = util::json_find_integer(params, {"ends"}))
        begun.mark = up_mark{*ends, util::json_find_integer(params, {"keeper"}).value_or(0)};
    return begun;
}

up_end parse_up_end(std::string_view result) {
    up_end end;
    end.shuts_down = util::json_find_true(result, {"shuts_down"});
    for (const auto element : elements_of(result, "failed")) {
        end.failed.push_back({util::json_find_string(element, {"unit"}).value_or(""),
                              util::json_find_string(element, {"reason"}).value_or("")});
    }
    if (const auto status = util::json_find_integer(result, {"status"}))
        end.status = static_cast<int>(*status);
    end.no_status = util::json_find_string(result, {"reason"}).value_or("");
    return end;
}

}  // namespace hob::cmd
