package reassembly

import "tcpwhy/reassembly/internal/keylog"

// Secrets are the keys of TLS connections that were known at some moment of the capture. They never
// change: With makes others of them. nil are none.
type Secrets = keylog.Secrets

// SetSecrets tells what is known from the next segment on.
func (t *Tracker) SetSecrets(s *Secrets) { t.shared.Secrets = s }
