"""What counts as an active latent, once for models, metrics and scorers."""

# A latent whose mean KL divergence from the prior is no larger, in nats, carries
# nothing (Duan et al. 2020, section 4).
ACTIVE_KL = 0.01
