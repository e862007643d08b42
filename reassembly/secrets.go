package reassembly

import "tcpwhy/reassembly/internal/keylog"

// Secrets are the keys of TLS connections that were known at some moment of the capture. They never
// change: With makes others of them. nil are none.
type Secrets = keylog.Secrets

// KeyLog is what is known of key logs beside the capture. They may grow while it goes on.
type KeyLog = keylog.Log

// KeyLogWriter takes the octets of one of them.
type KeyLogWriter = keylog.Writer

// KeyTally is what became of the lines of key logs.
type KeyTally = keylog.Tally

// SetSecrets tells what is known from the next segment on.
func (t *Tracker) SetSecrets(s *Secrets) { t.shared.Secrets = s }

// AwaitSecrets says that key logs grow while the capture goes on: what is said on a connection whose
// secrets are not known is held for a while.
func (t *Tracker) AwaitSecrets() { t.shared.Growing = true }
