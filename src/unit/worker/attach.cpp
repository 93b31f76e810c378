// The clients of a worker that share its process and speak its protocol themselves.

#include <utility>

#include "unit/worker/worker_process.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

// Makes an attachment known by its number and to its process until the coroutine ends.
struct registered_attachment {
    unit_context& context;
    std::vector<attachment*>& of_process;
    std::shared_ptr<attachment> attached;
    util::notifier& changes;
    std::uint64_t number;

    registered_attachment(unit_context& in, std::vector<attachment*>& all, std::shared_ptr<attachment> which,
                          util::notifier& on_end)
        : context(in),
          of_process(all),
          attached(std::move(which)),
          changes(on_end),
          number(++in.last_attachment) {
        context.attachments.emplace(number, attached);
        of_process.push_back(attached.get());
    }
    ~registered_attachment() {
        context.attachments.erase(number);
        std::erase(of_process, attached.get());
        changes.ring();
        try {
            attached->leave();
        } catch (const std::exception& why) {
            util::log(util::level::error, "unit", "an attachment did not end well",
                      {util::field("error", why.what())});
        }
    }
    registered_attachment(const registered_attachment&) = delete;
    registered_attachment& operator=(const registered_attachment&) = delete;
};

}  // namespace

asio::awaitable<int> worker::attach(attach_stream stream, std::function<void(std::uint64_t)> on_attached) {
    const auto alive = self();
    co_await wait_until_warm("attach", call_limit(std::nullopt));
    const auto process = process_;
    const auto attached = process->protocol.session->attach(process, std::move(stream));
    const registered_attachment registered(*context_, process->attachments, attached, changes());
    on_attached(registered.number);
    co_return co_await attached->ended();
}

std::size_t worker::in_flight() const { return calls_ + (process_ ? process_->attachments.size() : 0); }

// The fittest; among equals the one that spoke last.
attachment* worker::best_attachment(const worker_process& process, const worker_message& request) {
    attachment* best = nullptr;
    int best_fitness = 0;
    for (auto* each : process.attachments) {
        const int fitness = each->fitness(request);
        const bool later = best != nullptr && each->last_message() > best->last_message();
        if (fitness == 0 || fitness < best_fitness || (fitness == best_fitness && !later)) continue;
        best = each;
        best_fitness = fitness;
    }
    return best;
}

}  // namespace hob::unit
