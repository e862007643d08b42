package rule

import "time"

// timeoutSpread is by how much, in percent, times may differ that one timeout makes: programs look
// now and then, not at each moment, whether one is over (reasoning).
const timeoutSpread = 10

// SameTimeout reports whether a wait may have been ended by a timeout of that length.
func SameTimeout(wait, timeout time.Duration) bool {
	return wait >= timeout*(100-timeoutSpread)/100 && wait <= timeout*(100+timeoutSpread)/100
}
