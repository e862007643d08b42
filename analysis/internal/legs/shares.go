package legs

import "time"

// link is what x has to do with others, once that is resolved.
func (x *leg[T]) link() (k Link[T]) {
	if x.front != nil {
		k.Behind, k.Front, k.Share = true, x.front.of, x.front.share(x)
	}
	for _, u := range x.legs {
		k.Upstream = append(k.Upstream, u.of)
		k.Waited += x.share(u)
	}
	return k
}

// share is how much of the time that the server of f took to answer passed while it waited for u, and
// for no other leg that had begun before. Clocks of several inputs differ: then it is what u lasted.
func (f *leg[T]) share(u *leg[T]) time.Duration {
	var before, with time.Duration
	covered := f.RequestEnd
	for _, v := range f.legs {
		from, until := v.From, v.Until
		if f.Answer > 0 {
			until = min(until, f.Answer)
		}
		if v.Input != f.Input {
			from, until = covered, covered+v.Until-v.From
		}
		own := max(0, min(until, f.Until)-max(from, covered))
		covered = max(covered, until)
		with = min(before+own, f.Think)
		if v == u {
			break
		}
		before = with
	}
	return with - before
}
