#pragma once
// One process of a worker, from fork to the last leftover.

#include <memory>

#include "unit/call_table.hpp"
#include "unit/dialect.hpp"
#include "unit/process_io.hpp"
#include "unit/unit_process.hpp"
#include "unit/worker.hpp"
#include "util/timer.hpp"

namespace hob::unit {

struct worker::life {
    explicit life(const boost::asio::any_io_executor& executor) : idle(executor), deaf(executor) {}

    std::shared_ptr<const unit_spec> spec;  // also the worker's, until it is reconfigured
    protocol speaks;
    std::unique_ptr<unit_process> process;
    std::shared_ptr<process_io> io;     // also held by its own coroutines
    std::shared_ptr<call_table> calls;  // also held by each call in flight
    util::timer idle;
    util::timer deaf;  // it has closed its input
    bool over = false;
    std::uint64_t noise = 0;       // lines that were no messages
    std::uint64_t unexpected = 0;  // answers that nobody waited for
};

}  // namespace hob::unit
