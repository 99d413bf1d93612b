// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "report/page.h"
#include "report/run_figures.h"
#include "report/study_record.h"

namespace lockstep {

/// The page of one run. Links are relative to `folder`, where the page will lie.
ReportPage run_page(const RunRecord& run, const std::filesystem::path& folder);

/// The page of a study, or of several runs.
ReportPage study_page(const StudyRecord& study, const std::filesystem::path& folder);

/// The sections that show one run, for both pages.
std::vector<PageSection> run_sections(const RunView& view);

/// "./members/a/": the way from the page's folder to a file's.
std::string link_between(const std::filesystem::path& page_folder, const std::filesystem::path& folder);

}  // namespace lockstep
