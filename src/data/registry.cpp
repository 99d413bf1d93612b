// SPDX-License-Identifier: Apache-2.0
#include "data/registry.h"

#include "data/cache_format.h"
#include "data/csv.h"
#include "data/demo.h"
#include "data/hdf5.h"
#include "data/idx.h"
#include "data/libsvm.h"
#include "data/npy.h"
#include "data/npz.h"

namespace lockstep {

namespace {

template <class Concrete>
std::unique_ptr<Format> make(const Options& options) {
  return std::make_unique<Concrete>(options);
}

template <bool has_fields>
std::unique_ptr<Format> make_libsvm(const Options& options) {
  return std::make_unique<LibsvmFormat>(options, has_fields);
}

template <class Concrete>
FormatRow row(std::string name, std::string summary) {
  return {std::move(name), std::move(summary), nullptr, make<Concrete>, Concrete::matches};
}

}  // namespace

Registry<FormatRow> format_registry() {
  return {"data.format",
          {row<DemoFormat>("demo", "rows made up from a seed, no file needed"),
           row<CacheFormat>("cache", "files of `lockstep data convert` and data.cache"),
           row<IdxFormat>("idx", "arrays of bytes or numbers with a labels file, as MNIST has them"),
           row<NpyFormat>("npy", "NumPy arrays"),
           row<NpzFormat>("npz", "archives of NumPy arrays x and y"),
           row<Hdf5Format>("hdf5", "files with data sets x and y (builds with LOCKSTEP_HDF5)"),
           {"libffm", "sparse rows with fields as text: label field:index:value …", nullptr,
            make_libsvm<true>, LibsvmFormat::matches_fields},
           {"libsvm", "sparse rows as text: label index:value …", nullptr, make_libsvm<false>,
            LibsvmFormat::matches},
           row<CsvFormat>("csv", "text with comma, semicolon or tab between fields")}};
}

}  // namespace lockstep
