// SPDX-License-Identifier: Apache-2.0
#include "core/caught_error.h"

#include <filesystem>
#include <new>

namespace lockstep {

Error caught_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ExitCode::kHosts,
            "memory ran out, or `ulimit -v` allows no more; a smaller model or batch, data.memory_limit, or "
            "fewer "
            "ranks on a machine need less"};
  } catch (const std::filesystem::filesystem_error& error) {
    return {ExitCode::kIo, error.what()};
  } catch (const std::exception& error) {
    return {ExitCode::kInternal, error.what()};
  } catch (...) {
    return {ExitCode::kInternal, "unknown exception"};
  }
}

}  // namespace lockstep
