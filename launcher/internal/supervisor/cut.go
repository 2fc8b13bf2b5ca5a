package supervisor

import (
	"fmt"
	"os"
	"time"

	"ergosphere.dev/launcher/internal/checkpoint"
	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/link"
	"ergosphere.dev/launcher/internal/protocol"
)

// freeze stops the program under a lease, and writes nothing yet: a gang is dumped when all of it stands still. Asked again
// for the cut that it already holds, it answers the same.
func (s *Supervisor) freeze(call link.Call) error {
	if s.isHeldFor(call.Cut) {
		call.Answer(s.said)
		return nil
	}
	if err := s.mayCut(call, "freeze"); err != nil {
		return err
	}
	if s.config.Saving != nil {
		return protocol.Failed("BadRequest", "a program that saves its own state is not frozen")
	}
	s.waitForCut()
	record, worker := s.record, s.takeReady(call)
	s.perform("freeze", func() func() {
		frozen, err := s.stop(worker, record, call.Dir)
		return func() { s.onFrozen(call, frozen, err) }
	})
	return nil
}

func (s *Supervisor) onFrozen(call link.Call, frozen checkpoint.Frozen, err error) {
	if err != nil {
		refuse(call, err)
		return
	}
	s.frozen, s.worker = &frozen, frozen.Worker
	s.hold(call, protocol.Reply{OK: true, FreezeMs: milliseconds(frozen.Freeze)})
}

// dump freezes the program unless it is frozen, writes its image and leaves it frozen under a lease. Asked again for the
// cut it already holds, it answers the same.
func (s *Supervisor) dump(call link.Call) error {
	held, frozen := s.isHeldFor(call.Cut), s.frozen
	if held && frozen == nil {
		call.Answer(s.said)
		return nil
	}
	if !held || call.Dir != frozen.Dir || call.LeaseSeconds == 0 {
		if err := s.mayCut(call, "dump"); err != nil {
			return err
		}
	}
	s.waitForCut()
	if s.config.Saving != nil {
		return s.askToSave(call)
	}
	record, worker := s.record, s.takeReady(call)
	s.frozen, s.worker = nil, nil
	s.perform("dump", func() func() {
		taken, err := s.take(frozen, worker, record, call.Dir)
		return func() { s.onDumped(call, taken, err) }
	})
	return nil
}

// isHeldFor says whether the program stands still for that cut already.
func (s *Supervisor) isHeldFor(cut string) bool { return s.state == Frozen && cut == s.cut }

// mayCut checks that a program that runs can be cut as the request says.
func (s *Supervisor) mayCut(call link.Call, operation string) error {
	if s.state != Running {
		return s.wrongState(operation, Running)
	}
	if s.told {
		return protocol.Failed("ProgramEnding", "the program has been told to end, and is about to")
	}
	if call.Cut == "" || call.LeaseSeconds == 0 {
		return protocol.Failed("BadRequest", "%s needs a cut and leaseSeconds", operation)
	}
	return s.imageDirectory(call.Dir)
}

// stop uses the worker that was prepared, if it still is there: its lease may have ended.
func (s *Supervisor) stop(worker *criu.Worker, record checkpoint.Record, dir string) (checkpoint.Frozen, error) {
	if worker == nil {
		var err error
		if worker, err = checkpoint.Prepare(s.config.CRIU, record, dir); err != nil {
			return checkpoint.Frozen{}, err
		}
	}
	return checkpoint.Freeze(worker, dir)
}

func (s *Supervisor) take(frozen *checkpoint.Frozen, worker *criu.Worker, record checkpoint.Record, dir string,
) (checkpoint.Taken, error) {
	if frozen == nil {
		stopped, err := s.stop(worker, record, dir)
		if err != nil {
			return checkpoint.Taken{}, err
		}
		frozen = &stopped
	}
	return checkpoint.Take(*frozen, record, s.config.Roots)
}

func (s *Supervisor) onDumped(call link.Call, taken checkpoint.Taken, err error) {
	if err != nil {
		s.cut, s.state = "", Running
		refuse(call, err)
		s.loseUnlessConnected(err)
		return
	}
	s.worker = taken.Worker
	s.hold(call, dumped(taken))
}

func dumped(taken checkpoint.Taken) protocol.Reply {
	return protocol.Reply{
		OK: true, FreezeMs: milliseconds(taken.Freeze), DumpMs: milliseconds(taken.Dump),
		FilesMs: milliseconds(taken.Files), Bytes: &taken.Bytes,
	}
}

// hold keeps the program from running on until it is thawed, or until the lease ends, and says so.
func (s *Supervisor) hold(call link.Call, word protocol.Reply) {
	s.cut, s.state, s.said = call.Cut, Frozen, word
	s.extendLease(call.LeaseSeconds)
	call.Answer(word)
}

func milliseconds(duration time.Duration) *float64 {
	value := float64(duration.Microseconds()) / 1000
	return &value
}

func (s *Supervisor) extendLease(seconds float64) {
	s.lease.Reset(time.Duration(seconds * float64(time.Second)))
}

func (s *Supervisor) renew(call link.Call) error {
	if err := s.holds(call, "renew"); err != nil {
		return err
	}
	if call.LeaseSeconds == 0 {
		return protocol.Failed("BadRequest", "renew needs leaseSeconds")
	}
	s.extendLease(call.LeaseSeconds)
	accept(call)
	return nil
}

// holds checks that the program is frozen for the cut that a request names.
func (s *Supervisor) holds(call link.Call, operation string) error {
	if s.state != Frozen {
		return s.wrongState(operation, Frozen)
	}
	if call.Cut != s.cut {
		return protocol.Failed("WrongCut", "the program is frozen for the cut %q, not %q", s.cut, call.Cut)
	}
	return nil
}

func (s *Supervisor) onLeaseEnd() {
	s.dismiss()
	// The lease may have ended while another event was handled that thawed the program.
	if !s.held() || s.busy != "" {
		return
	}
	s.runOn("LeaseExpired")
}

// runOn resumes the program unasked, and says so.
func (s *Supervisor) runOn(reason string) {
	cut := s.cut
	s.resume()
	if !s.over {
		s.link.Announce(protocol.Event{Event: "thawed", Cut: cut, Reason: reason})
	}
}

// held says whether the program is kept from running on.
func (s *Supervisor) held() bool { return s.state == Frozen || s.save.done && s.state == Running }

// resume lets a frozen program run on where it is, and starts one again that has saved its state and ended.
func (s *Supervisor) resume() {
	s.lease.Stop()
	s.cut, s.state = "", Running
	if s.config.Saving != nil {
		s.startAgain()
		return
	}
	if err := s.letGo(); err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: after a cut: %v\n", err)
		s.loseUnlessConnected(err)
	}
}

// letGo ends the CRIU that holds the program. One that has not been told to write must not begin now.
func (s *Supervisor) letGo() error {
	end := s.worker.Finish
	if s.frozen != nil {
		end = s.worker.Close
	}
	s.frozen, s.worker = nil, nil
	return end()
}
