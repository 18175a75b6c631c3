"""What every server of Headstart needs: who may ask, limits of connections and bodies, uploads, batching, metrics."""
