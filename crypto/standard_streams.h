// Standard input, output and error, when whoever started the process left them closed.
#pragma once

namespace coffer::crypto {

// Before anything is opened, in every main(). The next file would get the number of a closed
// stream, and what is meant for a screen would be written into it: into a database, or after a
// secret. A closed stream becomes one on which each read or write fails, as it did before.
void OccupyStandardStreams();

}  // namespace coffer::crypto
