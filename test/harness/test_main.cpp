// main() of every test executable.
#define BOOST_TEST_MODULE hob
#include <boost/test/unit_test.hpp>
