package cli

import "os"

// reportSignals are those that ask for a report so far: Windows has none.
func reportSignals() []os.Signal { return nil }
