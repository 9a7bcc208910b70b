# Ends the configuration where cpp-httplib lacks its fixes of CVE-2025-46728, CVE-2025-52887 and
# CVE-2025-53629: with such a copy anybody takes all of a server's memory. Upstream has all three
# from 0.23 on; Debian has them in its revision +deb13u1 of 0.18.7, which shows by the limit of
# headers that it brought along.
set(limits_headers "")
if(HTTPLIB_VERSION VERSION_LESS 0.19)
  if(EXISTS ${HTTPLIB_INCLUDEDIR}/httplib.h)
    file(STRINGS ${HTTPLIB_INCLUDEDIR}/httplib.h limits_headers LIMIT_COUNT 1
      REGEX "^#define CPPHTTPLIB_HEADER_MAX_COUNT ")
  endif()
elseif(NOT HTTPLIB_VERSION VERSION_LESS 0.23)
  set(limits_headers "always")
endif()
if(limits_headers STREQUAL "")
  message(FATAL_ERROR
    "cpp-httplib ${HTTPLIB_VERSION} lacks the fixes of CVE-2025-46728, CVE-2025-52887 and "
    "CVE-2025-53629. Needed is Debian's 0.18.7-1+deb13u1, or 0.23: deploy/install-dependencies "
    "gets it; docs/operator-guide.md, \"Install\", says how without network.")
endif()
