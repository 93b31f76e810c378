#pragma once
// The project that the examples of the man pages use: two workers, `calc` and `echo`.

#include "harness/sandbox.hpp"

namespace hob::test {

inline void make_calc_project(sandbox& box) {
    box.write("calc.py",
              "import json, sys\n"
              "for line in sys.stdin:\n"
              "    asked = json.loads(line)\n"
              "    if 'id' not in asked:\n"
              "        continue\n"
              "    given = asked.get('params', {})\n"
              "    total = given.get('a', 0) + given.get('b', 0)\n"
              "    print(json.dumps({'jsonrpc': '2.0', 'id': asked['id'], 'result': total}), flush=True)\n");
    box.config(
        "[worker.calc]\nrun = [\"python3\", \"calc.py\"]\n"
        "[worker.echo]\nrun = [\"cat\"]\nprotocol = \"lines\"\n");
}

}  // namespace hob::test
