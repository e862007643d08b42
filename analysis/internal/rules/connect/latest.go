package connect

// appendLatest appends to a list that keeps no more than its latest items.
func appendLatest[T any](list []T, item T, most int) []T {
	list = append(list, item)
	if n := len(list) - most; n > 0 {
		list = append(list[:0], list[n:]...)
	}
	return list
}
