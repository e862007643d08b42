package rule

import "time"

// PromptClose is how soon after a response a close by the client means that it never meant to
// keep the connection.
const PromptClose = 50 * time.Millisecond

// Noticeable is the least wait worth a finding of its own.
const Noticeable = 20 * time.Millisecond
