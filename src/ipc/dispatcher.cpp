#include "ipc/dispatcher.hpp"

#include <utility>

namespace hob::ipc {

void dispatcher::add(std::string method, immediate handler) {
    entries_.insert_or_assign(std::move(method), std::move(handler));
}

void dispatcher::add(std::string method, suspended handler) {
    entries_.insert_or_assign(std::move(method), std::move(handler));
}

const dispatcher::entry* dispatcher::find(std::string_view method) const {
    const auto found = entries_.find(method);
    return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace hob::ipc
