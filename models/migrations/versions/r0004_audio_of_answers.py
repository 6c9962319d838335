"""the audio of answers is looked for by its age"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audio_kept", "audio", ["kind", "erased_at", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_audio_kept", "audio")
