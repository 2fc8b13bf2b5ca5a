package supervisor

import (
	"ergosphere.dev/launcher/internal/checkpoint"
	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/link"
)

// ready is a CRIU that has been started for a cut, and waits to be told to freeze the program.
type ready struct {
	worker   *criu.Worker
	cut, dir string
}

// prepare announces a cut. All workers are told before the first is frozen, or asked to save.
func (s *Supervisor) prepare(call link.Call) error {
	if err := s.mayCut(call, "prepare"); err != nil {
		return err
	}
	if s.config.Saving != nil {
		return s.prepareToSave(call)
	}
	s.dismiss()
	record := s.record
	s.perform("prepare", func() func() {
		worker, err := checkpoint.Prepare(s.config.CRIU, record, call.Dir)
		return func() { s.onPrepared(call, worker, err) }
	})
	return nil
}

func (s *Supervisor) onPrepared(call link.Call, worker *criu.Worker, err error) {
	if err != nil {
		refuse(call, err)
		return
	}
	s.ready = ready{worker, call.Cut, call.Dir}
	s.extendLease(call.LeaseSeconds)
	accept(call)
}

// takeReady gives the worker that is ready for a dump, if there is one.
func (s *Supervisor) takeReady(call link.Call) *criu.Worker {
	if s.ready.cut != call.Cut || s.ready.dir != call.Dir {
		s.dismiss()
		return nil
	}
	s.lease.Stop()
	worker := s.ready.worker
	s.ready = ready{}
	return worker
}

// dismiss lets go of a worker that is not needed. Nobody waits for its end: the program may keep it from ending.
func (s *Supervisor) dismiss() {
	if s.ready.worker != nil {
		go s.ready.worker.Close()
		s.ready = ready{}
	}
}
