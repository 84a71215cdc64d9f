"""A production line for sequence-to-sequence models. This page is the map.

corpora ─► rows ─► clean rows ─► pieces ─► shards ─► weights ─► hypotheses ─► metrics ─► package
       ingest   clean        pieces    encode    train      decode       evaluate   package

Rooms, from the top; an upper line imports lower ones, never the reverse:

profiled                where the time of a training goes
stages                  one file a stage: read, call, write
registry | report       MLflow: runs, versions, gate; the report page
agreement | job         what one section of params.yaml asks of another; what a worker trains
training | package      the engine's loop; the self-contained model folder
decoding                search over any model
models                  the seam, and the parts behind it
batches                 groups, slots, collating: the first room that imports torch
shards                  Arrow files of ids, with a manifest
tasks                   what a row becomes
corpora | cleaning | pieces | metrics
single modules          cluster seats: training workers · spread ahead: work over rows
                        store cache shared: what hosts have in common, on S3
                        rows arrow tally fingerprints normalise: rows in bulk · outputs alignments
                        files tensors syntax workspace display lookout: disk, source code, lock,
                        screen, threads that look on
                        machine settings choose: what can be set
records problems        the nouns: read records.py first
"""
